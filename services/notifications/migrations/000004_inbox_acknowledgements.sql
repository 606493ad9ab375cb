-- What makes notifications seen, and what takes them back. Each is one transaction under the feed's lock, which takes its place in the
-- feed; callers put many into one (acknowledging.ts). A send's prepare waits for none of it.
--
-- The settings of these functions, and of those in the other files: a plan is kept for as long as its session lives, and one made while
-- the tables are small reads them whole ever after. So joins go in the order in which they are written, by an index for each row.

create type freshly_seen as (user_id uuid, topic_id uuid, notification_id uuid, "position" bigint, number bigint);

-- Acknowledges for each of `users` the notification of `ids` at the same place. What they did not receive, what is retracted or removed,
-- and what they have seen before is left alone; each other one is a 'seen' of the feed.
create function acknowledge(users uuid[], ids uuid[]) returns void language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_material = off set join_collapse_limit = 1
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
  before bigint;
  fresh freshly_seen[];
begin
  perform pg_advisory_xact_lock(x'4e544658'::int, 1);
  select array_agg(row(g.user_id, f.topic_id, g.id, f.position, f.number)::freshly_seen order by f.position, g.user_id) into fresh
    from (select distinct user_id, id from unnest(users, ids) as given (user_id, id)) g
    join feed f on f.notification_id = g.id and f.kind = 'notification' and not f.retracted
    where exists (select from topics t where t.id = f.topic_id and t.deleted_at is null offset 0) and case when f.targeted then
      (select not r.seen and r.position > i.seen_to from recipients r join inboxes i on i.user_id = r.user_id and i.topic_id = r.topic_id
        where r.user_id = g.user_id and r.topic_id = f.topic_id and r.position = f.position)
    else
      exists (select from subscriptions s where s.topic_id = f.topic_id and s.user_id = g.user_id
        and s.joined < f.position and (s."left" is null or s."left" > f.position))
      and f.number > coalesce((select r.last from seen_ranges r
        where r.user_id = g.user_id and r.topic_id = f.topic_id and r.first <= f.number order by r.first desc limit 1), 0)
    end;
  if fresh is null then
    return;
  end if;
  update feed_head set position = position + cardinality(fresh) returning position - cardinality(fresh) into before;
  insert into feed (position, kind, topic_id, user_id, notification_id, about, at)
    select before + nth, 'seen', topic_id, user_id, notification_id, position, clock_timestamp()
    from unnest(fresh) with ordinality as s (user_id, topic_id, notification_id, position, number, nth);
  insert into inboxes as i (user_id, topic_id, seen, targeted_unseen)
    select user_id, topic_id, count(number), -count(*) filter (where number is null) from unnest(fresh) group by user_id, topic_id
    on conflict (user_id, topic_id) do update set
      seen = i.seen + excluded.seen, targeted_unseen = i.targeted_unseen + excluded.targeted_unseen;
  update recipients r set seen = true from unnest(fresh) s
    where s.number is null and r.user_id = s.user_id and r.topic_id = s.topic_id and r.position = s.position;
  update feed f set seen_count = f.seen_count + s.count
    from (select position, count(*) as count from unnest(fresh) where number is not null group by position) s
    where f.position = s.position;
  -- Numbers that follow each other become one range, together with the ranges that they touch.
  with islands as (
    select user_id, topic_id, min(number) as first, max(number) as last, min(position) - 1 as after_position, max(position) as to_position
    from (select *, number - row_number() over (partition by user_id, topic_id order by number) as island
      from unnest(fresh) where number is not null) numbers
    group by user_id, topic_id, island
  ), touched as (
    delete from seen_ranges r using (
      select i.user_id, i.topic_id, i.last + 1 as first from islands i
      union
      select i.user_id, i.topic_id, b.first from islands i cross join lateral (
        select b.first, b.last from seen_ranges b
          where b.user_id = i.user_id and b.topic_id = i.topic_id and b.first < i.first order by b.first desc limit 1
      ) b where b.last = i.first - 1
    ) t where r.user_id = t.user_id and r.topic_id = t.topic_id and r.first = t.first
    returning r.user_id, r.topic_id, r.first, r.last, r.after_position, r.to_position
  ), pieces as (
    select *, first > 1 + lag(last, 1, -1::bigint) over (partition by user_id, topic_id order by first) as begins
    from (select * from islands union all select * from touched) all_pieces
  ), grouped as (
    select *, count(*) filter (where begins) over (partition by user_id, topic_id order by first) as range from pieces
  )
  insert into seen_ranges (user_id, topic_id, first, last, after_position, to_position)
    select user_id, topic_id, min(first), max(last), min(after_position), max(to_position) from grouped
    group by user_id, topic_id, range;
  perform pg_notify('feed', (before + cardinality(fresh))::text);
end $$;

-- Makes the broadcasts behind number `low` up to `high`, all of which the user received, one range with what it touches; how many of
-- them were neither seen nor retracted.
create function see_range(usr uuid, topic uuid, low bigint, high bigint, after_place bigint, to_place bigint) returns bigint
language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_material = off set join_collapse_limit = 1
set plan_cache_mode = force_generic_plan
as $$
declare
  below bigint;
  below_last bigint;
  fresh bigint;
begin
  select r.first, r.last into below, below_last from seen_ranges r
    where r.user_id = usr and r.topic_id = topic and r.first <= low + 1 order by r.first desc limit 1;
  if below_last >= high then
    return 0;
  end if;
  with touched as (
    delete from seen_ranges r where r.user_id = usr and r.topic_id = topic
      and r.first >= coalesce(below, 0) and r.first <= high + 1 and r.last >= low
      returning r.first, r.last, r.after_position, r.to_position
  ), gaps as (
    -- Between the end of one and the beginning of the next.
    select b.number as first, e.number as last from (
      select number, row_number() over (order by number) as nth
        from (select low + 1 as number union all select last + 1 from touched) begins
    ) b join (
      select number, row_number() over (order by number) as nth
        from (select first - 1 as number from touched union all select high) ends
    ) e on e.nth = b.nth where b.number <= e.number
  ), merged as (
    insert into seen_ranges (user_id, topic_id, first, last, after_position, to_position)
      select usr, topic, least(low + 1, min(first)), greatest(high, max(last)),
        least(after_place, min(after_position)), greatest(to_place, max(to_position)) from touched
  ), counted as (
    insert into inboxes as i (user_id, topic_id, seen) select usr, topic, coalesce(sum(last - first + 1), 0) from gaps
      on conflict (user_id, topic_id) do update set seen = i.seen + excluded.seen
  ), changes as (
    insert into seen_sums as s (topic_id, level, bucket, change)
      select topic, level, number >> (5 * level), sum(change) from (
        select first as number, 1 as change from gaps union all select last + 1, -1 from gaps
      ) edges cross join generate_series(0, 3) as level group by level, number >> (5 * level)
      on conflict (topic_id, level, bucket) do update set change = s.change + excluded.change
  )
  select sum(last - first + 1 - (select count(*) from retractions r
      where r.topic_id = topic and r.number >= gaps.first and r.number <= gaps.last)) into fresh from gaps;
  return coalesce(fresh, 0);
end $$;

-- Acknowledges what the user received in a topic up to position `up_to`, or all of it; how many became seen. If any did, it is one
-- 'seenAll' of the feed.
create function acknowledge_topic(usr uuid, topic uuid, up_to bigint) returns bigint language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_material = off set join_collapse_limit = 1
set plan_cache_mode = force_generic_plan
as $$
declare
  head topic_heads;
  stay subscriptions;
  box inboxes;
  place bigint;
  upto_number bigint;
  low bigint;
  high bigint;
  fresh bigint := 0;
  fresh_targeted bigint := 0;
begin
  perform pg_advisory_xact_lock(x'4e544658'::int, 1);
  select * into head from topic_heads where topic_id = topic;
  select position into place from feed_head;
  if up_to is null or up_to >= place then
    upto_number := head.broadcasts;
  else
    place := up_to;
    select f.number into upto_number from feed f
      where (f.topic_id, f.position) > (topic, 0) and (f.topic_id, f.position) <= (topic, up_to)
      and f.number is not null and not f.retracted
      order by f.topic_id desc, f.position desc limit 1;
  end if;
  for stay in select * from subscriptions where topic_id = topic and user_id = usr order by joined loop
    low := greatest(stay.joined_number, head.pruned_number);
    high := least(stay.left_number, upto_number);
    if upto_number is not null and high > low then
      fresh := fresh + see_range(usr, topic, low, high, stay.joined, least(place, stay."left"));
    end if;
  end loop;
  select * into box from inboxes where user_id = usr and topic_id = topic;
  if box.targeted_unseen > 0 and place > box.seen_to then
    select count(*) into fresh_targeted from recipients
      where user_id = usr and topic_id = topic and position > box.seen_to and position <= place and not seen;
    update inboxes set targeted_unseen = targeted_unseen - fresh_targeted, seen_to = place where user_id = usr and topic_id = topic;
  end if;
  if fresh + fresh_targeted > 0 then
    insert into feed (position, kind, topic_id, user_id, about, at)
      values (next_position(), 'seenAll', topic, usr, place, clock_timestamp());
  end if;
  return fresh + fresh_targeted;
end $$;

-- The same for a topic, or with null for all of which the user ever received something.
create function acknowledge_all(usr uuid, topic uuid, up_to bigint) returns bigint language sql as $$
  select coalesce(sum(acknowledge_topic(usr, t.id, up_to)), 0)::bigint from topics t
    where t.deleted_at is null and (topic is null or t.id = topic) and t.id in (
      select topic_id from subscriptions where user_id = usr union select topic_id from inboxes where user_id = usr)
$$;

-- Takes a notification out of inboxes and counts, by its sender alone; again is fine.
create function retract_notification(notification uuid, sender uuid) returns void language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_material = off set join_collapse_limit = 1
set plan_cache_mode = force_generic_plan
as $$
declare
  found_one notifications;
  placed feed;
begin
  select n.* into found_one from notifications n join topics t on t.id = n.topic_id and t.deleted_at is null where n.id = notification;
  if found_one.from_user_id is distinct from sender then
    raise exception 'there is no such notification' using errcode = 'NX404';
  end if;
  -- It may be committed and have no position yet.
  perform number_pending();
  select * into placed from feed where notification_id = notification and kind = 'notification';
  if placed.position is null then
    raise exception 'there is no such notification' using errcode = 'NX404';
  elsif placed.retracted then
    return;
  end if;
  update feed set retracted = true where position = placed.position;
  insert into retractions (topic_id, position, number) values (placed.topic_id, placed.position, placed.number);
  if placed.targeted then
    with gone as (
      delete from recipients r where r.user_id = any(found_one.recipients) and r.topic_id = placed.topic_id and r.position = placed.position
        returning r.user_id, r.seen
    )
    update inboxes i set targeted = i.targeted - 1,
      targeted_unseen = i.targeted_unseen - case when gone.seen or placed.position <= i.seen_to then 0 else 1 end
      from gone where i.user_id = gone.user_id and i.topic_id = placed.topic_id;
  end if;
  insert into feed (position, kind, topic_id, user_id, notification_id, about, at)
    values (next_position(), 'retract', placed.topic_id, sender, notification, placed.position, clock_timestamp());
end $$;

-- How many a user has not seen, of one topic or of all; by arithmetic.
create function unseen_count(usr uuid, topic uuid) returns bigint language sql stable
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_material = off set join_collapse_limit = 1
set plan_cache_mode = force_generic_plan
as $$
  select coalesce((
    select sum(greatest(0, stay.high - stay.low) - case when stay.high <= stay.low then 0 else (
      -- Retracted ones that were not seen; those below the first gap were.
      select count(*) from retractions x where x.topic_id = stay.topic_id and x.number <= stay.high
        and x.number > greatest(stay.low, (select r.last from seen_ranges r
          where r.user_id = usr and r.topic_id = stay.topic_id and r.first <= stay.low + 1 order by r.first desc limit 1))
        and x.number > coalesce((select r.last from seen_ranges r
          where r.user_id = usr and r.topic_id = stay.topic_id and r.first <= x.number order by r.first desc limit 1), 0)
    ) end) from (
      select s.topic_id, greatest(s.joined_number, h.pruned_number) as low, coalesce(s.left_number, h.broadcasts) as high
        from subscriptions s cross join lateral (select * from topics t where t.id = s.topic_id offset 0) t
        cross join lateral (select * from topic_heads h where h.topic_id = s.topic_id offset 0) h
        where s.user_id = usr and t.deleted_at is null and (topic is null or s.topic_id = topic)
    ) stay
  ), 0)::bigint + coalesce((
    select sum(i.targeted_unseen - i.seen + (
      -- Ranges, or the part of one, that reach into what is removed.
      select coalesce(sum(least(r.last, h.pruned_number) - r.first + 1), 0) from seen_ranges r
        where r.user_id = usr and r.topic_id = i.topic_id and r.first <= h.pruned_number
    )) from inboxes i cross join lateral (select * from topics t where t.id = i.topic_id offset 0) t
        cross join lateral (select * from topic_heads h where h.topic_id = i.topic_id offset 0) h
      where i.user_id = usr and t.deleted_at is null and (topic is null or i.topic_id = topic)
  ), 0)::bigint
$$;
