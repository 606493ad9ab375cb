-- The keys with which all nodes of auth sign identities. The private part leaves this table for nowhere but their memory.
create table signing_keys (
  kid text primary key,
  private_jwk jsonb not null,
  created_at timestamptz not null default now()
);
