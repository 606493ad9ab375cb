-- Removal of what is old, in small batches, each a transaction of its own (retention.ts). Of a topic the oldest go first, in the order of
-- positions, so what is gone is a prefix. Who prunes holds the second lock: one node at a time. What counts is written under the feed's.

alter table feed_head
  -- No position behind this one was ever removed.
  add pruned_to bigint not null default 0;

-- For `deno task audit`: how many of each user's notifications were removed, and which of those whose outcome is still known.
create table removed_sends (user_id uuid primary key, sent bigint not null);
create table removed_notifications (id uuid primary key, at timestamptz not null default now());
create index removed_notifications_age on removed_notifications (at);

-- Before when a notification was sent that its topic keeps no longer. A deleted topic keeps its own for an hour: a gateway that was cut
-- off for a while still finds consecutive positions.
create function kept_since(t topics) returns timestamptz language sql stable as $$
  select case when t.deleted_at < now() - interval '1 hour' then 'infinity' else now() - t.retention_days * interval '1 day' end
$$;

create type removed_row as ("position" bigint, number bigint, targeted boolean, retracted boolean, notification_id uuid);

-- Removes up to `want` of a topic's oldest notifications, as far as they are too old; how many. Null where another node prunes.
create function prune_notifications(topic uuid, want int) returns int language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_material = off set join_collapse_limit = 1
as $$
#variable_conflict use_column
declare
  removed removed_row[];
  until_position bigint;
begin
  if not pg_try_advisory_xact_lock(x'4e544658'::int, 2) then
    return null;
  end if;
  perform pg_advisory_xact_lock(x'4e544658'::int, 1);
  select array_agg(row(position, number, targeted, retracted, notification_id)::removed_row order by position), max(position)
    into removed, until_position
    from (
      select f.position, f.number, f.targeted, f.retracted, f.notification_id,
        bool_and(n.created_at < kept_since(t)) over (order by f.position) as old
      from topics t cross join lateral (
        select position from (
          (select position from feed where topic_id = t.id and number is not null and not retracted
            order by topic_id, position limit want)
          union all
          (select position from feed where topic_id = t.id and targeted and not retracted order by topic_id, position limit want)
          union all
          (select position from retractions where topic_id = t.id order by position limit want)
        ) oldest order by position limit want
      ) p join feed f on f.position = p.position join notifications n on n.id = f.notification_id
      where t.id = topic
    ) dated where old;
  if removed is null then
    return 0;
  end if;
  with gone as (
    delete from recipients r using (
      select unnest(n.recipients) as user_id, u.position from unnest(removed) u join notifications n on n.id = u.notification_id
        where u.targeted
    ) named where r.user_id = named.user_id and r.topic_id = topic and r.position = named.position
    returning r.user_id, r.position, r.seen
  )
  update inboxes i set
    targeted = i.targeted - g.count,
    targeted_unseen = i.targeted_unseen - (select count(*) from gone where user_id = i.user_id and not seen and position > i.seen_to),
    lost_position = greatest(i.lost_position, g.last)
    from (select user_id, count(*) as count, max(position) as last from gone group by user_id) g
    where i.user_id = g.user_id and i.topic_id = topic;
  with gone as (
    delete from notifications n using unnest(removed) u where n.id = u.notification_id returning n.id, n.from_user_id
  ), known as (
    insert into removed_notifications (id) select id from gone
      where exists (select from two_phase_outcomes o where o.transaction_id = gone.id::text) on conflict do nothing
  )
  insert into removed_sends as s (user_id, sent) select from_user_id, count(*) from gone group by from_user_id
    on conflict (user_id) do update set sent = s.sent + excluded.sent;
  delete from feed f using unnest(removed) u where f.position = u.position;
  delete from retractions r using unnest(removed) u where u.retracted and r.topic_id = topic and r.position = u.position;
  update topic_heads h set
    pruned_number = greatest(h.pruned_number, (select max(number) from unnest(removed))),
    lost_number = greatest(h.lost_number, (select max(number) from unnest(removed) where not retracted)),
    lost_position = greatest(h.lost_position, (select max(position) from unnest(removed) where number is not null and not retracted))
    where h.topic_id = topic;
  update feed_head set pruned_to = greatest(pruned_to, until_position);
  insert into feed (position, kind, topic_id, about, at) values (next_position(), 'prune', topic, until_position, clock_timestamp());
  return cardinality(removed);
end $$;

-- Removes up to `want` of each kind of what is kept about notifications of a topic that are gone; how many rows. Null where another node
-- prunes.
create function prune_traces(topic uuid, want int) returns int language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
as $$
#variable_conflict use_column
declare
  head topic_heads;
  removed int;
  more int;
begin
  if not pg_try_advisory_xact_lock(x'4e544658'::int, 2) then
    return null;
  end if;
  perform pg_advisory_xact_lock(x'4e544658'::int, 1);
  select * into head from topic_heads where topic_id = topic;
  with gone as (
    delete from seen_ranges where ctid = any(array(
      select ctid from seen_ranges where topic_id = topic and last <= head.pruned_number limit want
    )) returning user_id, last - first + 1 as numbers
  )
  update inboxes i set seen = i.seen - g.numbers from (select user_id, sum(numbers) as numbers from gone group by user_id) g
    where i.user_id = g.user_id and i.topic_id = topic;
  get diagnostics removed = row_count;
  -- A stay that ended before: that it brought something is kept with the inbox.
  with gone as (
    delete from subscriptions where ctid = any(array(
      select ctid from subscriptions where topic_id = topic and "left" <= head.lost_position limit want
    )) returning user_id, "left" as lost, left_number > joined_number as received
  )
  insert into inboxes as i (user_id, topic_id, lost_position)
    select user_id, topic, coalesce(max(lost) filter (where received), 0) from gone group by user_id
    on conflict (user_id, topic_id) do update set lost_position = greatest(i.lost_position, excluded.lost_position);
  get diagnostics more = row_count;
  removed := removed + more;
  -- Sums of which no number that is left reads: those within a larger step that is gone altogether.
  for step in 0 .. 2 loop
    delete from seen_sums where ctid = any(array(
      select ctid from seen_sums where topic_id = topic and level = step
        and bucket < (head.pruned_number >> (5 * (step + 1))) << 5 limit want
    ));
    get diagnostics more = row_count;
    removed := removed + more;
  end loop;
  return removed;
end $$;

-- Removes up to `want` rows of each kind of a topic that was deleted an hour ago and has no notifications any more; how many. Its own row
-- goes a week later: until then a send that was in doubt may still come.
create function prune_deleted(topic uuid, want int) returns int language plpgsql
set enable_seqscan = off
as $$
#variable_conflict use_column
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
  foreach part in array array['seen_ranges', 'seen_sums', 'inboxes', 'subscriptions', 'invitations'] loop
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

-- Of up to `want` topics behind the id `after`: whether there is anything to prune.
create function topics_to_prune(after uuid, want int) returns table (id uuid, due boolean) language sql stable
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
as $$
  select t.id, coalesce(t.deleted_at < now() - interval '1 hour', false)
    or coalesce((select n.created_at from feed f join notifications n on n.id = f.notification_id
      where f.topic_id = t.id and f.number is not null and not f.retracted order by f.topic_id, f.position limit 1) < kept_since(t), false)
    or coalesce((select n.created_at from feed f join notifications n on n.id = f.notification_id
      where f.topic_id = t.id and f.targeted and not f.retracted order by f.topic_id, f.position limit 1) < kept_since(t), false)
    or coalesce((select n.created_at from retractions r join feed f on f.position = r.position
      join notifications n on n.id = f.notification_id where r.topic_id = t.id order by r.position limit 1) < kept_since(t), false)
    or exists (select from seen_ranges r where r.topic_id = t.id and r.last <= h.pruned_number)
    or exists (select from subscriptions s where s.topic_id = t.id and s."left" <= h.lost_position)
  from (select * from topics where topics.id > after order by topics.id limit want) t
    left join topic_heads h on h.topic_id = t.id
$$;

-- Removes events that are no notifications and older than `age`, looking at up to `want` positions; how many positions were passed. Null
-- where another node prunes.
create function prune_events(age interval, want int) returns bigint language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
as $$
#variable_conflict use_column
declare
  began bigint;
  ended bigint;
  kept bigint;
begin
  if not pg_try_advisory_xact_lock(x'4e544658'::int, 2) then
    return null;
  end if;
  perform pg_advisory_xact_lock(x'4e544658'::int, 1);
  select pruned_events into began from feed_head;
  select max(position), min(position) filter (where kind <> 'notification' and at >= now() - age) into ended, kept
    from (select position, kind, at from feed where position > began order by position limit want) looked_at;
  ended := least(ended, kept - 1);
  if ended is null or ended <= began then
    return 0;
  end if;
  with gone as (
    delete from feed where position > began and position <= ended and kind <> 'notification' returning position, kind, topic_id
  ), lost as (
    update topic_heads h set lost_acknowledgement = greatest(h.lost_acknowledgement, g.last)
      from (select topic_id, max(position) as last from gone where kind in ('seen', 'seenAll') group by topic_id) g
      where h.topic_id = g.topic_id
  )
  update feed_head set pruned_events = ended,
    pruned_to = greatest(pruned_to, coalesce((select max(position) from gone), 0));
  return ended - began;
end $$;
