-- What turns positions of the feed into mails that are due (mail/follower.ts). One node at a time, by a lock that ends with the statement,
-- so that one that is frozen or dead holds nobody up; a position is passed in the transaction that makes its mails due. Nothing here is
-- part of a send.

-- When a digest is made next: at full hours, or once a day at that hour of UTC.
create function digest_time(every text, hour int) returns timestamptz language sql stable as $$
  select case every
    when 'HOUR' then date_trunc('hour', now(), 'UTC') + interval '1 hour'
    else date_trunc('day', now() - hour * interval '1 hour', 'UTC') + interval '1 day' + hour * interval '1 hour'
  end
$$;

-- Makes due what was sent to a topic behind position `after_position` up to `upto`, for the first `page` users behind `after_user` of
-- those who want mail of it: how many these are, and the last of them. Who received it is a matter of its position.
create function make_topic_due(topic uuid, after_position bigint, upto bigint, after_user uuid, page int, digest_hour int)
returns table (users bigint, last_user uuid) language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_material = off set join_collapse_limit = 1
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
begin
  return query
    with wanting as materialized (
      select m.user_id, m.preference, m.every, m.after_minutes from mail_preferences m
        where m.topic_id = topic and m.preference <> 'NEVER' and m.user_id > after_user order by m.user_id limit page
    ), received as (
      select w.user_id, w.preference, w.every, w.after_minutes, r.position from wanting w cross join lateral (
        select f.position from feed f
          where (f.topic_id, f.position) > (topic, after_position) and (f.topic_id, f.position) <= (topic, upto)
          and f.number is not null and not f.retracted
          and exists (select from subscriptions s where s.topic_id = topic and s.user_id = w.user_id
            and s.joined < f.position and (s."left" is null or s."left" > f.position))
        union all
        select p.position from recipients p
          where p.user_id = w.user_id and p.topic_id = topic and p.position > after_position and p.position <= upto
      ) r
    ), single as (
      insert into mail_due (user_id, position, kind, due_at)
        select r.user_id, r.position, r.preference,
          case r.preference when 'ALWAYS' then now() else n.created_at + r.after_minutes * interval '1 minute' end
        from received r cross join lateral (select f.notification_id from feed f where f.position = r.position offset 0) f
          cross join lateral (select n.created_at from notifications n where n.id = f.notification_id offset 0) n
        where r.preference in ('ALWAYS', 'WHEN_AWAY')
        on conflict do nothing
    ), digest as (
      insert into digest_due as d (user_id, every, due_at, topic_id, first_position, last_position)
        select r.user_id, r.every, digest_time(r.every, digest_hour), topic, min(r.position), max(r.position)
          from received r where r.preference = 'DIGEST' group by r.user_id, r.every
        on conflict (user_id, every, due_at, topic_id) do update set last_position = excluded.last_position
    )
    select count(*), (array_agg(w.user_id order by w.user_id desc))[1] from wanting w;
end $$;

-- Goes on by one stretch of the feed at most, and by about `most` rows; how many positions are left. Null where another node is at it.
create function make_mail_due(most int, digest_hour int) returns bigint language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_material = off set join_collapse_limit = 1
set plan_cache_mode = force_generic_plan
as $$
declare
  -- As long as a page of the feed for a gateway.
  stretch_length constant int := 500;
  nobody constant uuid := '00000000-0000-0000-0000-000000000000';
  everybody constant uuid := 'ffffffff-ffff-ffff-ffff-ffffffffffff';
  head bigint;
  place mail_head;
  sent record;
  made record;
  page int;
  room bigint := most;
begin
  if not pg_try_advisory_xact_lock(x'4e544658'::int, 3) then
    return null;
  end if;
  select * into place from mail_head;
  select position into head from feed_head;
  if place.stretch_to is null then
    if place.position >= head then
      return 0;
    elsif not exists (select from mail_preferences where preference <> 'NEVER') then
      update mail_head set position = head;
      return 0;
    end if;
    place.stretch_to := least(place.position + stretch_length, head);
    place.topic_id := nobody;
    place.user_id := nobody;
  end if;
  for sent in
    select f.topic_id, count(*) as count from feed f
      where f.position > place.position and f.position <= place.stretch_to and f.kind = 'notification' and not f.retracted
      and f.topic_id >= place.topic_id
      and exists (select from mail_preferences m where m.topic_id = f.topic_id and m.preference <> 'NEVER')
      group by f.topic_id order by f.topic_id
  loop
    if sent.topic_id > place.topic_id then
      place.topic_id := sent.topic_id;
      place.user_id := nobody;
    end if;
    while place.user_id < everybody loop
      if room <= 0 then
        update mail_head set stretch_to = place.stretch_to, topic_id = place.topic_id, user_id = place.user_id;
        return head - place.position;
      end if;
      page := greatest(1, room / sent.count);
      select * into made from make_topic_due(sent.topic_id, place.position, place.stretch_to, place.user_id, page, digest_hour);
      room := room - made.users * sent.count;
      place.user_id := case when made.users < page then everybody else made.last_user end;
    end loop;
  end loop;
  update mail_head set position = place.stretch_to, stretch_to = null, topic_id = null, user_id = null;
  return head - place.stretch_to;
end $$;
