-- What a search for users reads (kit/search.ts). pg_trgm comes with PostgreSQL, but not with every packaging of it, and not every role
-- may create it: a search looks at fewer users without it.
do $$
begin
  create extension if not exists pg_trgm;
  create index users_search on users using gin (email_key gin_trgm_ops);
exception
  when undefined_file or feature_not_supported or insufficient_privilege or undefined_object then
    raise notice 'no index for searches: %', sqlerrm;
end $$;
