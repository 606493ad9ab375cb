-- What is due, with what its mail says (mail/hand_over.ts, mail/digests.ts). Whether it is still wanted is asked here, again: `void` says
-- why it is not to be sent.

-- Why a user gets no mails of a topic now; null where they do. What they received before they left stays in their inbox, without a mail.
create function mail_void(usr uuid, topic uuid) returns text language sql stable
set enable_seqscan = off set plan_cache_mode = force_generic_plan
as $$
  select case
    when not exists (select from topics t where t.id = topic and t.deleted_at is null) then 'deleted'
    when not exists (select from subscriptions s where s.topic_id = topic and s.user_id = usr and s."left" is null) then 'left'
    when not exists (select from mail_preferences p where p.user_id = usr and p.topic_id = topic and p.preference <> 'NEVER')
      then 'unwanted'
  end
$$;

-- The oldest `want` that are due by themselves.
create function due_mail(want int) returns table (
  user_id uuid, "position" bigint, id uuid, topic text, from_user_id uuid, message text, at timestamptz, token text, void text
) language plpgsql stable
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_material = off set join_collapse_limit = 1
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
begin
  return query
    with due as materialized (
      select d.user_id, d.position, d.kind, d.due_at from mail_due d where d.due_at <= now() order by d.due_at limit want
    )
    select d.user_id, d.position, n.id, t.name, n.from_user_id, n.message, n.created_at, p.token, case
        -- By retention.
        when n.id is null then 'removed'
        when f.retracted then 'retracted'
        else coalesce(mail_void(d.user_id, f.topic_id), case when d.kind = 'WHEN_AWAY' and case when f.targeted then
          exists (select from recipients r join inboxes i on i.user_id = d.user_id and i.topic_id = f.topic_id
            where r.user_id = d.user_id and r.topic_id = f.topic_id and r.position = d.position
            and (r.seen or r.position <= i.seen_to))
        else
          f.number <= (select r.last from seen_ranges r where r.user_id = d.user_id and r.topic_id = f.topic_id and r.first <= f.number
            order by r.first desc limit 1)
        end then 'seen' end)
      end
    from due d left join lateral (select * from feed f where f.position = d.position offset 0) f on true
      left join lateral (select * from notifications n where n.id = f.notification_id offset 0) n on true
      left join lateral (select * from topics t where t.id = f.topic_id offset 0) t on true
      left join lateral (select * from mail_preferences p where p.user_id = d.user_id and p.topic_id = f.topic_id offset 0) p on true
    order by d.due_at;
end $$;

-- What is due for the digests that are due first: those of the users in the first `want` rows, each with all of its rows. Times are texts,
-- since they come back as keys, and a program's time may be less exact.
create function due_digests(want int) returns table (
  user_id uuid, every text, due_at text, topic_id uuid, first_position bigint, last_position bigint, token text, void text
) language plpgsql stable
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_material = off set join_collapse_limit = 1
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
begin
  return query
    select d.user_id, d.every, d.due_at::text, d.topic_id, d.first_position, d.last_position, g.token, mail_void(d.user_id, d.topic_id)
    from (
      select distinct n.user_id, n.every from (
        select user_id, every from digest_due where due_at <= now() order by due_at, user_id limit want
      ) n
    ) whose cross join lateral (
      select * from digest_due d where d.user_id = whose.user_id and d.every = whose.every and d.due_at <= now() offset 0
    ) d join mail_digests g on g.user_id = d.user_id and g.every = d.every
    order by d.user_id, d.every, d.due_at, d.topic_id;
end $$;

-- How many a user received in a topic from one position up to another and hasn't seen; by arithmetic, as unseen_count().
create function unseen_between(usr uuid, topic uuid, first_position bigint, last_position bigint) returns bigint language sql stable
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_material = off set join_collapse_limit = 1
set plan_cache_mode = force_generic_plan
as $$
  with sent as (
    select (select f.number from feed f
        where (f.topic_id, f.position) >= (topic, first_position) and (f.topic_id, f.position) <= (topic, last_position)
        and f.number is not null and not f.retracted order by f.topic_id, f.position limit 1) as first,
      (select f.number from feed f
        where (f.topic_id, f.position) >= (topic, first_position) and (f.topic_id, f.position) <= (topic, last_position)
        and f.number is not null and not f.retracted order by f.topic_id desc, f.position desc limit 1) as last
  ), stays as (
    select greatest(s.joined_number + 1, sent.first) as first, least(s.left_number, sent.last) as last
      from sent cross join subscriptions s where s.topic_id = topic and s.user_id = usr and sent.first is not null
  ), seen as (
    -- Of the ranges that begin before a stay's numbers the last one alone may reach into them.
    select greatest(r.first, stays.first) as first, least(r.last, stays.last) as last from stays cross join lateral (
      (select r.first, r.last from seen_ranges r where r.user_id = usr and r.topic_id = topic and r.first < stays.first
        order by r.first desc limit 1)
      union all
      select r.first, r.last from seen_ranges r where r.user_id = usr and r.topic_id = topic
        and r.first >= stays.first and r.first <= stays.last
    ) r where stays.first <= stays.last and r.last >= stays.first
  )
  select (
    coalesce((select sum(last - first + 1) from stays where first <= last), 0)
    - coalesce((select sum(last - first + 1) from seen), 0)
    - coalesce((select sum((select count(*) from retractions x
        where x.topic_id = topic and x.number >= stays.first and x.number <= stays.last)) from stays), 0)
    + coalesce((select sum((select count(*) from retractions x
        where x.topic_id = topic and x.number >= seen.first and x.number <= seen.last)) from seen), 0)
    + (select count(*) from recipients r where r.user_id = usr and r.topic_id = topic and not r.seen
        and r.position >= first_position and r.position <= last_position
        and r.position > (select i.seen_to from inboxes i where i.user_id = usr and i.topic_id = topic))
  )::bigint
$$;

-- The newest `want` of each digest: what each of `users` received in the topic at the same place from the first position up to the last,
-- and hasn't seen; `nth` says of which digest it is. Messages are cut to `most` characters.
create function digest_entries(nths int[], users uuid[], topics uuid[], firsts bigint[], lasts bigint[], want int, most int) returns table (
  nth int, topic text, from_user_id uuid, message text, at timestamptz
) language plpgsql stable
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_material = off set join_collapse_limit = 1
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
begin
  return query
    with found as (
      select g.nth, g.topic_id, p.position, row_number() over (partition by g.nth order by p.position desc) as newest
      from unnest(nths, users, topics, firsts, lasts) as g (nth, user_id, topic_id, first_position, last_position)
        cross join lateral (
          select u.position from unseen_positions(g.user_id, g.topic_id, g.last_position + 1, want) as u (position)
            where u.position >= g.first_position
          union all
          (select r.position from recipients r where r.user_id = g.user_id and r.topic_id = g.topic_id and not r.seen
            and r.position >= g.first_position and r.position <= g.last_position
            and r.position > (select i.seen_to from inboxes i where i.user_id = g.user_id and i.topic_id = g.topic_id)
            order by r.position desc limit want)
        ) p
    )
    select f.nth, t.name, n.from_user_id, left(n.message, most), n.created_at
    from (select * from found where newest <= want) f
      cross join lateral (select * from topics t where t.id = f.topic_id offset 0) t
      cross join lateral (select e.notification_id from feed e where e.position = f.position offset 0) e
      cross join lateral (select * from notifications n where n.id = e.notification_id offset 0) n
    order by f.nth, f.position;
end $$;

create or replace function prune_deleted(topic uuid, want int) returns int language plpgsql
set enable_seqscan = off
as $$
declare
  part text;
  removed int := 0;
  more int;
begin
  if not pg_try_advisory_xact_lock(x'4e544658'::int, 2) then
    return null;
  end if;
  if not exists (select from topics where id = topic and deleted_at < now() - interval '1 hour') then
    return 0;
  end if;
  perform pg_advisory_xact_lock(x'4e544658'::int, 1);
  foreach part in array
    array['seen_ranges', 'seen_sums', 'inboxes', 'subscriptions', 'invitations', 'mail_preferences']
  loop
    execute format('delete from %1$I where ctid = any(array(select ctid from %1$I where topic_id = $1 limit $2))', part)
      using topic, want;
    get diagnostics more = row_count;
    removed := removed + more;
  end loop;
  if removed = 0 then
    with gone as (
      delete from topics where id = topic and deleted_at < now() - interval '7 days' returning id
    ) delete from topic_heads where topic_id in (select id from gone);
    get diagnostics removed = row_count;
  end if;
  return removed;
end $$;
