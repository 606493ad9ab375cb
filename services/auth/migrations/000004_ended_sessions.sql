-- The sessions that have ended, each at its position: gateways follow them (GET /api/sessions/ended), so that a logout takes effect on
-- all of them at once.
--
-- A serial id handed out before commit can become visible after a later one, and who has read the later one would miss it for ever. So an
-- end waits in ended_pending, committed together with the deletion of its session, until number_ended() gives it a position, under a
-- transaction-scoped advisory lock: whoever comes first numbers, one at a time, in one statement of the client's. A transaction that
-- deletes sessions and stays open holds up nobody.

create table ended_head (
  sole boolean primary key default true check (sole),
  epoch text not null,
  position bigint not null
);
insert into ended_head (epoch, position) values (substr(md5(gen_random_uuid()::text), 1, 12), 0);

-- No index: it is read whole, and holds what was committed within the last few milliseconds.
create table ended_pending (token_hash bytea not null);

create table ended_sessions (
  position bigint primary key,
  -- As it was in sessions: whoever reads it can't sign in with it.
  token_hash bytea not null,
  numbered_at timestamptz not null default now()
);

-- A trigger, so that no way of ending a session can forget to say so: logout, expiry, one login too many, a user who is deleted.
create function note_ended_sessions() returns trigger language plpgsql as $$
begin
  insert into ended_pending (token_hash) select token_hash from ended;
  if found then
    perform pg_notify('ended_sessions', '');
  end if;
  return null;
end $$;
create trigger note_ended_sessions after delete on sessions
  referencing old table as ended for each statement execute function note_ended_sessions();

-- Gives positions to at most `most` of those that are committed and wait, and returns the last position. The statements after the lock
-- have a snapshot of their own, so they see what was committed while the lock was waited for. The lock's key is "NTFX".
create function number_ended(most integer) returns bigint language plpgsql as $$
declare
  head bigint;
begin
  perform pg_advisory_xact_lock(x'4e544658'::int, 2);
  with batch as (
    delete from ended_pending where ctid = any (array(select ctid from ended_pending limit most)) returning token_hash
  ), numbered as (
    insert into ended_sessions (position, token_hash)
      select (select position from ended_head) + row_number() over (), token_hash from batch
  )
  update ended_head set position = position + (select count(*) from batch) where exists (select from batch);
  select position into head from ended_head;
  return head;
end $$;

-- Positions mean nothing in another database: one restored from a backup, or a standby that was promoted without its primary's last
-- commits, gives some of them out again. So the server's identifier and its timeline are part of the epoch.
create function ended_epoch() returns text language sql stable as $$
  select concat_ws('-', epoch, to_hex((select system_identifier from pg_control_system())),
    left(pg_walfile_name(pg_current_wal_insert_lsn()), 8)) from ended_head
$$;
