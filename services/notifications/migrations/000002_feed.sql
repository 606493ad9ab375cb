-- The feed: every notification, join and leave at its position, in the order in which they were committed.
--
-- A serial id handed out before commit can become visible after a later one, and who resumes behind the later one would miss it for
-- ever. So a committed notification waits in feed_pending until number_pending() gives it a position, under a transaction-scoped
-- advisory lock: whoever comes first numbers, one at a time, in one statement of the client's, so that a writer that is frozen, cut off
-- or dead holds nothing.

create table feed_head (
  sole boolean primary key default true check (sole),
  -- A cursor is an epoch and a position; a cursor of another epoch is of another feed.
  epoch text not null,
  position bigint not null
);
insert into feed_head (epoch, position) values (substr(md5(gen_random_uuid()::text), 1, 12), 0);

-- No index: it is read whole, and holds what was committed within the last few milliseconds.
create table feed_pending (
  notification_id uuid not null,
  topic_id uuid not null,
  since timestamptz not null default clock_timestamp()
);

create table feed (
  position bigint primary key,
  kind text not null check (kind in ('notification', 'join', 'leave')),
  topic_id uuid not null,
  notification_id uuid,
  user_id uuid
);
create unique index feed_of_notification on feed (notification_id) where notification_id is not null;
create index feed_of_topic on feed (topic_id, position) where notification_id is not null;

-- Numbers all that is committed and waits, and gives it as the feed's events; the statement after the lock has a snapshot of its own, so
-- it sees what was committed while the lock was waited for. The lock's key is "NTFX". Other nodes are told the last position.
--
-- The lock ends with the statement, and the statement with its answer: one that a frozen node doesn't read must fit into the buffers of
-- its connection. So a batch of more than 64 KiB is not given; the node hears of it as the others do, and reads the table.
create function number_pending() returns table (
  "position" bigint, kind text, topic_id uuid, user_id uuid, id uuid, from_user_id uuid, message text, created_at timestamptz,
  recipients uuid[]
) language plpgsql
-- The plan is kept for as long as its session lives. Made while the tables are small it would read them whole ever after: four times
-- slower after 10,000 notifications.
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
as $$
#variable_conflict use_column
declare
  before bigint;
  head bigint;
begin
  perform pg_advisory_xact_lock(x'4e544658'::int, 1);
  select feed_head.position into before from feed_head;
  return query
    with batch as (
      delete from feed_pending returning notification_id, topic_id, since
    ), numbered as (
      select notification_id, topic_id, row_number() over (order by since, notification_id) as nth from batch
    ), moved as (
      update feed_head set position = position + (select count(*) from batch) where exists (select from batch)
    ), added as (
      insert into feed (position, kind, topic_id, notification_id)
        select (select position from feed_head) + nth, 'notification', topic_id, notification_id from numbered
        returning position, topic_id, notification_id
    ), events as (
      select a.position, a.topic_id, n.id, n.from_user_id, n.message, n.created_at,
        case when n.targeted then array(select r.user_id from recipients r where r.notification_id = n.id) end as recipients
      from added a join notifications n on n.id = a.notification_id
    )
    select position, 'notification', topic_id, null::uuid, id, from_user_id, message, created_at, recipients from events
    where (select sum(200 + octet_length(message) + 40 * coalesce(cardinality(recipients), 0)) from events) <= 64 * 1024
    order by position;
  select feed_head.position into head from feed_head;
  if head > before then
    perform pg_notify('feed', head::text);
  end if;
end $$;

-- The next position, for a join or a leave: what was committed before is numbered first.
create function next_position() returns bigint language plpgsql as $$
declare
  place bigint;
begin
  perform number_pending();
  update feed_head set position = position + 1 returning position into place;
  perform pg_notify('feed', place::text);
  return place;
end $$;

create function join_topic(topic uuid, member uuid) returns void language plpgsql as $$
declare
  place bigint;
begin
  if not exists (select from topics where id = topic) then
    raise exception 'there is no such topic' using errcode = 'NX404';
  end if;
  perform pg_advisory_xact_lock(x'4e544658'::int, 1);
  if exists (select from subscriptions where topic_id = topic and user_id = member and "left" is null) then
    return;
  end if;
  place := next_position();
  insert into feed (position, kind, topic_id, user_id) values (place, 'join', topic, member);
  insert into subscriptions (topic_id, user_id, joined) values (topic, member, place);
end $$;

create function leave_topic(topic uuid, member uuid) returns void language plpgsql as $$
declare
  place bigint;
begin
  if not exists (select from topics where id = topic) then
    raise exception 'there is no such topic' using errcode = 'NX404';
  end if;
  perform pg_advisory_xact_lock(x'4e544658'::int, 1);
  if not exists (select from subscriptions where topic_id = topic and user_id = member and "left" is null) then
    return;
  end if;
  place := next_position();
  insert into feed (position, kind, topic_id, user_id) values (place, 'leave', topic, member);
  update subscriptions set "left" = place where topic_id = topic and user_id = member and "left" is null;
end $$;

-- What a send does between BEGIN and PREPARE TRANSACTION. It locks nothing that another send needs.
create function prepare_notification(id uuid, topic uuid, sender uuid, message text, recipient_ids uuid[]) returns void
language plpgsql as $$
declare
  found_topic topics;
  strangers uuid[];
begin
  select * into found_topic from topics where topics.id = topic;
  if found_topic.id is null then
    raise exception 'there is no such topic' using errcode = 'NX404';
  elsif found_topic.created_by <> sender then
    raise exception 'only the creator of a topic may send to it' using errcode = 'NX403';
  elsif found_topic.status <> 'ACTIVE' then
    raise exception 'the topic is inactive' using errcode = 'NX409';
  end if;
  if cardinality(recipient_ids) > 0 then
    select array_agg(recipient) into strangers from unnest(recipient_ids) as recipient
      where not exists (select from subscriptions s where s.topic_id = topic and s.user_id = recipient and s."left" is null);
    if strangers is not null then
      raise exception 'not subscribed to this topic: %', array_to_string(strangers[1:20], ', ')
        using errcode = 'NX400', detail = json_build_object('notSubscribed', strangers)::text;
    end if;
    insert into recipients (notification_id, user_id) select id, unnest(recipient_ids);
  end if;
  insert into notifications (id, topic_id, from_user_id, message, targeted)
    values (id, topic, sender, message, cardinality(recipient_ids) > 0);
  insert into feed_pending (notification_id, topic_id) values (id, topic);
end $$;
