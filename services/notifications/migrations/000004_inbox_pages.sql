-- Pages of an inbox by status: broadcasts of one topic, newest first, older than position `before`. Each gap between two ranges holds at
-- least one that is unseen (or retracted), and each range one that is seen, so a page reads no more rows than it shows.

create function unseen_positions(usr uuid, topic uuid, before bigint, want int) returns setof bigint language plpgsql stable
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
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
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
as $$
declare
  seen seen_ranges;
  upper bigint := coalesce(before, 9007199254740991);
  top bigint;
  got int := 0;
  more int;
begin
  select f.number into top from feed f where f.topic_id = topic and f.position < upper
    and f.number is not null and not f.retracted order by f.topic_id desc, f.position desc limit 1;
  for seen in select * from seen_ranges r where r.user_id = usr and r.topic_id = topic and r.first <= top order by r.first desc loop
    return query select f.position from feed f
      where (f.topic_id, f.position) > (topic, seen.after_position) and (f.topic_id, f.position) < (topic, least(upper, seen.to_position + 1))
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
set enable_seqscan = off
as $$
  select coalesce((select sum(change) from seen_sums where topic_id = topic and level = 3 and bucket < number >> 15), 0)::bigint
    + coalesce((select sum(change) from seen_sums where topic_id = topic and level = 2
      and bucket >= (number >> 15) << 5 and bucket < number >> 10), 0)::bigint
    + coalesce((select sum(change) from seen_sums where topic_id = topic and level = 1
      and bucket >= (number >> 10) << 5 and bucket < number >> 5), 0)::bigint
    + coalesce((select sum(change) from seen_sums where topic_id = topic and level = 0
      and bucket >= (number >> 5) << 5 and bucket <= number), 0)::bigint
$$;
