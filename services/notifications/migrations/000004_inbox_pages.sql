-- Pages of an inbox.
--
-- The settings: a plan is made once, for any user, and joins go in the order in which they are written, by an index for each row. Planned
-- for one user at a time, a page would cost more to plan than to read. Rows are compared, so that no other index serves: by position alone
-- the planner takes the primary key, and reads past the notifications of all other topics. With `offset 0` each row is looked up, also
-- by a plan that was made while there were few.

-- By status: broadcasts of one topic, newest first, older than position `before`. Each gap between two ranges holds at least one that is
-- unseen (or retracted), and each range one that is seen, so a page reads no more rows than it shows.

create function unseen_positions(usr uuid, topic uuid, before bigint, want int) returns setof bigint language plpgsql stable
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_material = off set join_collapse_limit = 1
set enable_bitmapscan = off set enable_sort = off set plan_cache_mode = force_generic_plan
as $$
declare
  stay subscriptions;
  seen seen_ranges;
  upper bigint;
  top bigint;
  got int := 0;
  more int;
begin
  for stay in select * from subscriptions where topic_id = topic and user_id = usr order by joined desc loop
    upper := least(before, stay."left", 9007199254740991);
    continue when upper <= stay.joined;
    -- The number of the newest in question: ranges above it are of no interest.
    select f.number into top from feed f where (f.topic_id, f.position) > (topic, stay.joined) and (f.topic_id, f.position) < (topic, upper)
      and f.number is not null and not f.retracted order by f.topic_id desc, f.position desc limit 1;
    continue when top is null;
    for seen in select * from seen_ranges r where r.user_id = usr and r.topic_id = topic and r.first <= top order by r.first desc loop
      return query select f.position from feed f
        where (f.topic_id, f.position) > (topic, greatest(stay.joined, seen.to_position)) and (f.topic_id, f.position) < (topic, upper)
        and f.number is not null and not f.retracted order by f.topic_id desc, f.position desc limit want - got;
      get diagnostics more = row_count;
      got := got + more;
      if got >= want then
        return;
      end if;
      upper := least(upper, seen.after_position + 1);
      exit when upper <= stay.joined;
    end loop;
    return query select f.position from feed f
      where (f.topic_id, f.position) > (topic, stay.joined) and (f.topic_id, f.position) < (topic, upper)
      and f.number is not null and not f.retracted order by f.topic_id desc, f.position desc limit want - got;
    get diagnostics more = row_count;
    got := got + more;
    if got >= want then
      return;
    end if;
  end loop;
end $$;

create function seen_positions(usr uuid, topic uuid, before bigint, want int) returns setof bigint language plpgsql stable
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_material = off set join_collapse_limit = 1
set enable_bitmapscan = off set enable_sort = off set plan_cache_mode = force_generic_plan
as $$
declare
  seen seen_ranges;
  upper bigint := coalesce(before, 9007199254740991);
  top bigint;
  got int := 0;
  more int;
begin
  select f.number into top from feed f where (f.topic_id, f.position) > (topic, 0) and (f.topic_id, f.position) < (topic, upper)
    and f.number is not null and not f.retracted order by f.topic_id desc, f.position desc limit 1;
  for seen in select * from seen_ranges r where r.user_id = usr and r.topic_id = topic and r.first <= top order by r.first desc loop
    return query select f.position from feed f
      where (f.topic_id, f.position) > (topic, seen.after_position)
      and (f.topic_id, f.position) < (topic, least(upper, seen.to_position + 1))
      and f.number is not null and not f.retracted order by f.topic_id desc, f.position desc limit want - got;
    get diagnostics more = row_count;
    got := got + more;
    if got >= want then
      return;
    end if;
  end loop;
end $$;

-- How many have seen a broadcast by ranges: the changes of the topic up to its number, read in the largest steps.
create function seen_by_ranges(topic uuid, number bigint) returns bigint language sql stable
set enable_seqscan = off set plan_cache_mode = force_generic_plan
as $$
  select coalesce((select sum(change) from seen_sums where topic_id = topic and level = 3 and bucket < number >> 15), 0)::bigint
    + coalesce((select sum(change) from seen_sums where topic_id = topic and level = 2
      and bucket >= (number >> 15) << 5 and bucket < number >> 10), 0)::bigint
    + coalesce((select sum(change) from seen_sums where topic_id = topic and level = 1
      and bucket >= (number >> 10) << 5 and bucket < number >> 5), 0)::bigint
    + coalesce((select sum(change) from seen_sums where topic_id = topic and level = 0
      and bucket >= (number >> 5) << 5 and bucket <= number), 0)::bigint
$$;

-- The positions of the first `want` notifications of an inbox that are older than `before`, newest first: of a topic or of all, of a
-- sender or of all, and those that are seen, or aren't, or all. Only its creator sends to a topic, so the sender is asked of the topic.
create function inbox_positions(usr uuid, topic uuid, sender uuid, is_seen boolean, before bigint, want int) returns setof bigint
language plpgsql stable
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_material = off set join_collapse_limit = 1
set enable_bitmapscan = off set enable_sort = off set plan_cache_mode = force_generic_plan
as $$
begin
  if is_seen is null then
    return query select page.position from (
      (select b.position from subscriptions s cross join lateral (select * from topics t where t.id = s.topic_id offset 0) t
        cross join lateral (
        select f.position from feed f where (f.topic_id, f.position) > (s.topic_id, s.joined)
          and (f.topic_id, f.position) < (s.topic_id, least(s."left", before))
          and f.number is not null and not f.retracted order by f.topic_id desc, f.position desc limit want
      ) b where s.user_id = usr and t.deleted_at is null and (topic is null or t.id = topic) and (sender is null or t.created_by = sender))
      union all
      (select b.position from inboxes i cross join lateral (select * from topics t where t.id = i.topic_id offset 0) t
        cross join lateral (
        select r.position from recipients r where r.user_id = usr and r.topic_id = i.topic_id and r.position < before
          order by r.position desc limit want
      ) b where i.user_id = usr and i.targeted > 0
        and t.deleted_at is null and (topic is null or t.id = topic) and (sender is null or t.created_by = sender))
    ) page order by page.position desc limit want;
  elsif is_seen then
    return query select page.position from (
      (select b.position from inboxes i cross join lateral (select * from topics t where t.id = i.topic_id offset 0) t
        cross join lateral seen_positions(usr, i.topic_id, before, want) as b (position)
        where i.user_id = usr and i.seen > 0
        and t.deleted_at is null and (topic is null or t.id = topic) and (sender is null or t.created_by = sender))
      union all
      (select b.position from inboxes i cross join lateral (select * from topics t where t.id = i.topic_id offset 0) t
        cross join lateral (
        (select r.position from recipients r where r.user_id = usr and r.topic_id = i.topic_id and r.position < before
          and r.position <= i.seen_to order by r.position desc limit want)
        union all
        (select r.position from recipients r where r.user_id = usr and r.topic_id = i.topic_id and r.position < before
          and r.position > i.seen_to and r.seen order by r.position desc limit want)
      ) b where i.user_id = usr and i.targeted > i.targeted_unseen
        and t.deleted_at is null and (topic is null or t.id = topic) and (sender is null or t.created_by = sender))
    ) page order by page.position desc limit want;
  else
    return query select page.position from (
      (select b.position from (select distinct s.topic_id from subscriptions s where s.user_id = usr) s
        cross join lateral (select * from topics t where t.id = s.topic_id offset 0) t
        cross join lateral unseen_positions(usr, s.topic_id, before, want) as b (position)
        where t.deleted_at is null and (topic is null or t.id = topic) and (sender is null or t.created_by = sender))
      union all
      (select b.position from inboxes i cross join lateral (select * from topics t where t.id = i.topic_id offset 0) t
        cross join lateral (
        select r.position from recipients r where r.user_id = usr and r.topic_id = i.topic_id and r.position < before
          and r.position > i.seen_to and not r.seen order by r.position desc limit want
      ) b where i.user_id = usr and i.targeted_unseen > 0
        and t.deleted_at is null and (topic is null or t.id = topic) and (sender is null or t.created_by = sender))
    ) page order by page.position desc limit want;
  end if;
end $$;

-- The notifications at these positions, in no order, and whether the user has seen them.
create function notifications_at(usr uuid, places bigint[]) returns table (
  "position" bigint, id uuid, topic_id uuid, from_user_id uuid, message text, created_at timestamptz, recipient_count bigint, seen boolean
) language sql stable
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_material = off set join_collapse_limit = 1
set enable_bitmapscan = off set enable_sort = off set plan_cache_mode = force_generic_plan
as $$
  select f.position, n.id, n.topic_id, n.from_user_id, n.message, n.created_at, f.recipient_count, coalesce(case when f.targeted then (
    select r.seen or r.position <= i.seen_to from recipients r join inboxes i on i.user_id = usr and i.topic_id = r.topic_id
      where r.user_id = usr and r.topic_id = f.topic_id and r.position = f.position
  ) else (
    select r.last from seen_ranges r where r.user_id = usr and r.topic_id = f.topic_id and r.first <= f.number
      order by r.first desc limit 1
  ) >= f.number end, false)
  from unnest(places) as place join feed f on f.position = place join notifications n on n.id = f.notification_id
$$;
