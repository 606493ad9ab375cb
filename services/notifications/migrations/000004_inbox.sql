-- Inboxes whose pages and counts cost the same however much was sent, and to how many.
--
-- A broadcast has a number within its topic, given with its position: the topic's first is 1. A stay knows the number at its join and at
-- its leave, so how many broadcasts it brought is a subtraction. What has been seen is kept as ranges of numbers. Everything here that
-- counts is written under the feed's advisory lock alone, in the transaction that moves the feed's position: a snapshot shows the counts
-- of exactly its position.

create table topic_heads (
  topic_id uuid primary key,
  -- How many broadcasts have a position; the number of the last.
  broadcasts bigint not null default 0,
  subscribers bigint not null default 0,
  -- Broadcasts up to this number are removed. The last removed that was not retracted is the one of lost_number at lost_position.
  pruned_number bigint not null default 0,
  lost_number bigint not null default 0,
  lost_position bigint not null default 0,
  -- The position of the last removed 'seen' or 'seenAll'.
  lost_acknowledgement bigint not null default 0
) with (fillfactor = 50);
insert into topic_heads (topic_id) select id from topics;

create function add_topic_head() returns trigger language plpgsql as $$
begin
  insert into topic_heads (topic_id) values (new.id);
  return null;
end $$;
create trigger add_topic_head after insert on topics for each row execute function add_topic_head();
create index topics_of_creator on topics (created_by, id);

-- The recipients of a targeted one; null for a broadcast.
alter table notifications add recipients uuid[];
update notifications n set recipients = array(select user_id from recipients r where r.notification_id = n.id order by user_id)
  where targeted;

alter table feed
  drop constraint feed_kind_check,
  add constraint feed_kind_check check (kind in
    ('notification', 'join', 'leave', 'seen', 'seenAll', 'retract', 'topic', 'delete', 'prune')),
  -- Of a broadcast.
  add number bigint,
  add targeted boolean not null default false,
  add retracted boolean not null default false,
  -- Who received it: of a broadcast the subscribers at its position, of a targeted one those of its recipients that were.
  add recipient_count bigint,
  -- How many acknowledged this broadcast by itself; seen_sums has those who did by a range.
  add seen_count bigint not null default 0,
  -- The position that a 'seen', 'seenAll', 'retract' or 'prune' is about.
  add about bigint,
  -- When it was done; a notification has its created_at.
  add at timestamptz;
update feed f set targeted = true from notifications n where n.id = f.notification_id and n.targeted;
update feed f set number = numbered.number from (
  select position, row_number() over (partition by topic_id order by position) as number from feed
    where kind = 'notification' and not targeted
) numbered where f.position = numbered.position;
update feed set at = now() where kind <> 'notification';
update topic_heads h set
  broadcasts = (select count(*) from feed f where f.topic_id = h.topic_id and f.number is not null),
  subscribers = (select count(*) from subscriptions s where s.topic_id = h.topic_id and s."left" is null);
drop index feed_of_notification, feed_of_topic;
create unique index feed_of_notification on feed (notification_id) where kind = 'notification';
create index feed_broadcasts on feed (topic_id, position) where number is not null and not retracted;
create index feed_targeted on feed (topic_id, position) where targeted and not retracted;
create index feed_acknowledgements on feed (topic_id, position) where kind in ('seen', 'seenAll');

-- joined_number and left_number: how many broadcasts the topic had at the join and at the leave.
alter table subscriptions add joined_number bigint, add left_number bigint;
update subscriptions s set
  joined_number = (select count(*) from feed f where f.topic_id = s.topic_id and f.number is not null and f.position < s.joined),
  left_number = case when s."left" is not null then
    (select count(*) from feed f where f.topic_id = s.topic_id and f.number is not null and f.position < s."left") end;
alter table subscriptions alter joined_number set not null;
create index subscriptions_ended on subscriptions (topic_id, "left") where "left" is not null;
update feed f set recipient_count = (select count(*) from subscriptions s where s.topic_id = f.topic_id
    and s.joined < f.position and (s."left" is null or s."left" > f.position)
    and (not f.targeted or s.user_id = any((select n.recipients from notifications n where n.id = f.notification_id)::uuid[])))
  where kind = 'notification';

-- Who received a targeted one, at its position.
alter table recipients rename to recipients_before;
create table recipients (
  user_id uuid not null,
  topic_id uuid not null,
  position bigint not null,
  -- By itself; or its position is at or before the seen_to of inboxes.
  seen boolean not null default false,
  primary key (user_id, topic_id, position)
);
insert into recipients (user_id, topic_id, position, seen)
  select r.user_id, f.topic_id, f.position,
    exists (select from acknowledgements a where a.user_id = r.user_id and a.notification_id = r.notification_id)
  from recipients_before r join feed f on f.notification_id = r.notification_id
  where exists (select from subscriptions s where s.topic_id = f.topic_id and s.user_id = r.user_id
    and s.joined < f.position and (s."left" is null or s."left" > f.position));
create index recipients_unseen on recipients (user_id, topic_id, position) where not seen;
create index recipients_seen on recipients (user_id, topic_id, position) where seen;
drop table recipients_before;
alter table notifications drop targeted;

-- The broadcasts that a user has seen, as ranges of numbers that neither touch nor overlap; they hold only what the user received.
-- Who acknowledges everything has one row, however it was done. In positions the range is from behind after_position to to_position.
create table seen_ranges (
  user_id uuid not null,
  topic_id uuid not null,
  first bigint not null,
  last bigint not null,
  after_position bigint not null,
  to_position bigint not null,
  primary key (user_id, topic_id, first)
) with (fillfactor = 80);
create index seen_ranges_of_topic on seen_ranges (topic_id, last);

-- What can't be had by a subtraction, for each user and topic in which there is any.
create table inboxes (
  user_id uuid not null,
  topic_id uuid not null,
  -- How many numbers the ranges in seen_ranges have together.
  seen bigint not null default 0,
  targeted bigint not null default 0,
  targeted_unseen bigint not null default 0,
  -- Targeted ones up to this position are seen.
  seen_to bigint not null default 0,
  -- The position of the last that was removed and is not told by topic_heads.
  lost_position bigint not null default 0,
  primary key (user_id, topic_id)
) with (fillfactor = 80);

insert into seen_ranges (user_id, topic_id, first, last, after_position, to_position)
  select user_id, topic_id, min(number), max(number), min(position) - 1, max(position) from (
    select a.user_id, f.topic_id, f.number, f.position,
      f.number - row_number() over (partition by a.user_id, f.topic_id order by f.number) as island
    from acknowledgements a join feed f on f.notification_id = a.notification_id and f.number is not null
  ) seen group by user_id, topic_id, island;
insert into inboxes (user_id, topic_id, seen)
  select user_id, topic_id, sum(last - first + 1) from seen_ranges group by user_id, topic_id;
insert into inboxes (user_id, topic_id, targeted, targeted_unseen)
  select user_id, topic_id, count(*), count(*) filter (where not seen) from recipients group by user_id, topic_id
  on conflict (user_id, topic_id) do update set targeted = excluded.targeted, targeted_unseen = excluded.targeted_unseen;
update feed f set seen_count = (select count(*) from acknowledgements a where a.notification_id = f.notification_id)
  where number is not null;
drop table acknowledgements;

-- How many have seen a broadcast by a range is the sum of the changes up to its number. Changes are kept by number and, so that a sum
-- reads few rows, by 32, 1,024 and 32,768 numbers together: `bucket` is the number shifted right by 5 * level.
create table seen_sums (
  topic_id uuid not null,
  level smallint not null,
  bucket bigint not null,
  change bigint not null,
  primary key (topic_id, level, bucket)
) with (fillfactor = 80);

-- Retracted notifications, until they are removed. Their numbers stay taken.
create table retractions (
  topic_id uuid not null,
  position bigint not null,
  -- Of a broadcast.
  number bigint,
  primary key (topic_id, position)
);
create index retractions_of_broadcasts on retractions (topic_id, number) where number is not null;

-- What waits for its position: besides notifications, what announce() was given. Rows come and go at the rate of sends, and what is
-- dead would be read again and again until the next vacuum. So they are found by the transaction that wrote them: all that was visible
-- in the snapshot feed_head.taken has been taken, and what is left is of transactions that were open then or began later.
alter table feed_pending
  alter notification_id drop not null,
  add kind text not null default 'notification',
  add user_id uuid,
  add targeted boolean not null default false,
  add xid xid8 not null default pg_current_xact_id();
update feed_pending p set targeted = true from notifications n where n.id = p.notification_id and n.recipients is not null;
create index feed_pending_xid on feed_pending (xid);
alter table feed_head
  add taken pg_snapshot not null default '1:1:',
  -- Up to here the events that are no notifications are removed, once they are old.
  add pruned_events bigint not null default 0;

-- From which transaction on something may wait. A database that was restored elsewhere counts transactions anew, perhaps from less.
create function pending_from(taken pg_snapshot) returns xid8 language sql stable as $$
  select case when pg_snapshot_xmax(taken) <= pg_snapshot_xmax(pg_current_snapshot()) then pg_snapshot_xmax(taken) else '0' end
$$;

create function is_pending() returns boolean language sql stable set enable_seqscan = off as $$
  select exists (select from feed_pending where xid >= (select pending_from(taken) from feed_head))
    or exists (select from feed_pending where xid = any(array(select pg_snapshot_xip(taken) from feed_head)))
$$;

-- Gives a thing its place in the feed once the caller's transaction is committed: a kind of feed, and what its event tells.
create function announce(kind text, topic uuid, usr uuid default null, notification uuid default null) returns void language sql as $$
  insert into feed_pending (kind, topic_id, user_id, notification_id) values (kind, topic, usr, notification)
$$;

drop function number_pending();
-- As in 000002: numbers all that is committed and waits, and gives it as the feed's events, unless these are more than 64 KiB. Other nodes
-- are told; one that knows of none says so by `alone`, since telling costs a tenth of a send.
create function number_pending(alone boolean default false) returns table (
  "position" bigint, kind text, topic_id uuid, user_id uuid, id uuid, from_user_id uuid, message text, created_at timestamptz,
  recipients uuid[], recipient_count bigint, about bigint, at timestamptz
) language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
as $$
#variable_conflict use_column
declare
  before bigint;
  batch feed_pending[];
  began xid8;
  open xid8[];
  now_taken pg_snapshot;
  given bigint;
begin
  perform pg_advisory_xact_lock(x'4e544658'::int, 1);
  select h.position, pending_from(h.taken), array(select pg_snapshot_xip(h.taken)) into before, began, open from feed_head h;
  with gone as (
    delete from feed_pending p where xid >= began or xid = any(open) returning p as pending
  ) select array_agg(pending order by (pending).since, (pending).notification_id), pg_current_snapshot()
    into batch, now_taken from gone;
  if batch is null then
    return;
  end if;
  return query
    with events as (
      -- What is read of topic_heads is what was before the update below: one statement, one snapshot.
      select before + p.nth as position, p.kind, p.topic_id, p.user_id, p.notification_id, p.targeted, p.since,
        n.from_user_id, n.message, n.created_at, n.recipients,
        case when p.kind = 'notification' and not p.targeted then h.broadcasts
          + count(*) filter (where p.kind = 'notification' and not p.targeted) over (partition by p.topic_id order by p.nth) end as number,
        case when p.kind <> 'notification' then null when not p.targeted then h.subscribers else (
          select count(*) from unnest(n.recipients) as recipient join subscriptions s
            on s.topic_id = p.topic_id and s.user_id = recipient and s."left" is null) end as recipient_count
      from unnest(batch) with ordinality
        as p (notification_id, topic_id, since, kind, user_id, targeted, xid, nth)
        left join topic_heads h on h.topic_id = p.topic_id
        left join notifications n on n.id = p.notification_id and p.kind = 'notification'
    ), moved as (
      update feed_head set position = before + cardinality(batch), taken = now_taken
    ), counted as (
      update topic_heads h set broadcasts = h.broadcasts + c.count from (
        select p.topic_id, count(*) as count from unnest(batch) p where p.kind = 'notification' and not p.targeted group by p.topic_id
      ) c where h.topic_id = c.topic_id
    ), added as (
      insert into feed (position, kind, topic_id, user_id, notification_id, number, targeted, recipient_count, at)
        select position, kind, topic_id, user_id, notification_id, number, targeted, recipient_count,
          case when kind <> 'notification' then since end from events
    )
    select position, kind, topic_id, user_id, notification_id, from_user_id, message, created_at, recipients, recipient_count,
      null::bigint, case when kind <> 'notification' then since end from events
    where (select sum(250 + octet_length(coalesce(message, '')) + 40 * coalesce(cardinality(recipients), 0)) from events) <= 64 * 1024
    order by position;
  get diagnostics given = row_count;
  if exists (select from unnest(batch) where targeted) then
    perform receive_targeted(before, before + cardinality(batch));
  end if;
  -- What isn't given the node itself hears of thereby.
  if not alone or given = 0 then
    perform pg_notify('feed', (before + cardinality(batch))::text);
  end if;
end $$;

-- Puts the targeted ones of positions behind `before` up to `upto` into the inboxes of those who are subscribed now.
create function receive_targeted(before bigint, upto bigint) returns void language sql as $$
  with named as (
    select f.topic_id, f.position, unnest(n.recipients) as user_id from feed f join notifications n on n.id = f.notification_id
      where f.position > before and f.position <= upto and f.targeted
  ), received as (
    insert into recipients (user_id, topic_id, position) select user_id, topic_id, position from named
      where exists (select from subscriptions s where s.topic_id = named.topic_id and s.user_id = named.user_id and s."left" is null)
      returning user_id, topic_id
  )
  insert into inboxes as i (user_id, topic_id, targeted, targeted_unseen)
    select user_id, topic_id, count(*), count(*) from received group by user_id, topic_id
    on conflict (user_id, topic_id) do update set
      targeted = i.targeted + excluded.targeted, targeted_unseen = i.targeted_unseen + excluded.targeted_unseen
$$;

-- Whether a user may know of a topic. One of INVITE is seen by its creator, the invited, and who is subscribed.
create function may_see_topic(topic uuid, usr uuid) returns boolean language sql stable as $$
  select exists (select from topics t where t.id = topic and t.deleted_at is null and (
    t.visibility = 'PUBLIC' or t.created_by = usr
    or exists (select from invitations i where i.topic_id = topic and i.user_id = usr)
    or exists (select from subscriptions s where s.topic_id = topic and s.user_id = usr and s."left" is null)))
$$;

create or replace function join_topic(topic uuid, member uuid) returns void language plpgsql as $$
declare
  place bigint;
  number bigint;
begin
  -- Asked again under the lock: who removes an invitation, closes or deletes the topic holds it as well.
  if not may_see_topic(topic, member) then
    raise exception 'there is no such topic' using errcode = 'NX404';
  end if;
  perform pg_advisory_xact_lock(x'4e544658'::int, 1);
  if not may_see_topic(topic, member) then
    raise exception 'there is no such topic' using errcode = 'NX404';
  elsif exists (select from subscriptions where topic_id = topic and user_id = member and "left" is null) then
    return;
  end if;
  place := next_position();
  update topic_heads set subscribers = subscribers + 1 where topic_id = topic returning broadcasts into number;
  insert into feed (position, kind, topic_id, user_id, at) values (place, 'join', topic, member, clock_timestamp());
  insert into subscriptions (topic_id, user_id, joined, joined_number) values (topic, member, place, number);
end $$;

create or replace function leave_topic(topic uuid, member uuid) returns void language plpgsql as $$
declare
  place bigint;
  number bigint;
begin
  if not exists (select from topics where id = topic and deleted_at is null) then
    raise exception 'there is no such topic' using errcode = 'NX404';
  end if;
  perform pg_advisory_xact_lock(x'4e544658'::int, 1);
  if not exists (select from subscriptions where topic_id = topic and user_id = member and "left" is null) then
    return;
  end if;
  place := next_position();
  update topic_heads set subscribers = subscribers - 1 where topic_id = topic returning broadcasts into number;
  insert into feed (position, kind, topic_id, user_id, at) values (place, 'leave', topic, member, clock_timestamp());
  update subscriptions set "left" = place, left_number = number where topic_id = topic and user_id = member and "left" is null;
end $$;

create or replace function prepare_notification(id uuid, topic uuid, sender uuid, message text, recipient_ids uuid[]) returns void
language plpgsql as $$
declare
  found_topic topics;
  strangers uuid[];
  is_targeted boolean := cardinality(recipient_ids) > 0;
begin
  select * into found_topic from topics where topics.id = topic and deleted_at is null;
  -- Whoever doesn't see it isn't told that it is there.
  if found_topic.id is null or (found_topic.created_by <> sender and not may_see_topic(topic, sender)) then
    raise exception 'there is no such topic' using errcode = 'NX404';
  elsif found_topic.created_by <> sender then
    raise exception 'only the creator of a topic may send to it' using errcode = 'NX403';
  elsif found_topic.status <> 'ACTIVE' then
    raise exception 'the topic is inactive' using errcode = 'NX409';
  end if;
  if is_targeted then
    select array_agg(recipient) into strangers from unnest(recipient_ids) as recipient
      where not exists (select from subscriptions s where s.topic_id = topic and s.user_id = recipient and s."left" is null);
    if strangers is not null then
      raise exception 'not subscribed to this topic: %', array_to_string(strangers[1:20], ', ')
        using errcode = 'NX400', detail = json_build_object('notSubscribed', strangers)::text;
    end if;
  end if;
  insert into notifications (id, topic_id, from_user_id, message, recipients)
    values (id, topic, sender, message, case when is_targeted then recipient_ids end);
  insert into feed_pending (notification_id, topic_id, targeted) values (id, topic, is_targeted);
end $$;
