-- The epoch of cursors. A stored random value alone would go along into a copy of the database, which then gives the same positions to
-- other things than the original does. So it is mixed with what tells servers apart: the system identifier, made at initdb, and the
-- timeline, which a promoted standby and a restore to a point in time begin anew. A restore of a dump into the same server needs
-- `deno task new-epoch`.
create function feed_epoch() returns text language plpgsql stable as $$
declare
  stored text;
  server text := '';
  timeline text := '';
begin
  select epoch into stored from feed_head;
  -- Every role may read these, unless somebody took that away.
  begin
    select system_identifier::text into server from pg_control_system();
  exception when insufficient_privilege then
    null;
  end;
  begin
    timeline := left(pg_walfile_name(pg_current_wal_insert_lsn()), 8);
  exception when insufficient_privilege then
    null;
  end;
  return left(md5(concat_ws(' ', stored, server, timeline)), 12);
end $$;
