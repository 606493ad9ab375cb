-- What lists of topics and their search read (topic_list.ts).

create index topics_public on topics (id) where visibility = 'PUBLIC' and deleted_at is null;
create index topics_invite on topics (created_by) where visibility = 'INVITE' and deleted_at is null;

-- pg_trgm comes with PostgreSQL, but not with every packaging of it, and not every role may create it: a search looks at fewer topics
-- without it (kit/search.ts).
do $$
begin
  create extension if not exists pg_trgm;
  create index topics_search on topics using gin (lower(name) gin_trgm_ops) where visibility = 'PUBLIC' and deleted_at is null;
exception
  when undefined_file or feature_not_supported or insufficient_privilege or undefined_object then
    raise notice 'no index for searches: %', sqlerrm;
end $$;
