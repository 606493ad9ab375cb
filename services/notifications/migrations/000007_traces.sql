-- The trace of a send goes on with its notification, wherever that is read: its delivery, and its mails. It is written by the prepare, and
-- only where the send is traced.
alter table notifications add traceparent text;

drop function number_pending(boolean);
-- As in 000004, with the trace.
create function number_pending(alone boolean default false) returns table (
  "position" bigint, kind text, topic_id uuid, user_id uuid, id uuid, from_user_id uuid, message text, created_at timestamptz,
  recipients uuid[], recipient_count bigint, about bigint, at timestamptz, traceparent text
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
        n.from_user_id, n.message, n.created_at, n.recipients, n.traceparent,
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
      null::bigint, case when kind <> 'notification' then since end, traceparent from events
    where (select sum(250 + octet_length(coalesce(message, '')) + 40 * coalesce(cardinality(recipients), 0)
      + coalesce(octet_length(traceparent), 0)) from events) <= 64 * 1024
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
