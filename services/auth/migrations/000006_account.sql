-- Links in mails, by which an address is confirmed or a forgotten password replaced (account/).

alter table users
  add column confirmed_at timestamptz,
  -- One more with each password that took the place of a forgotten one: a login that knew the one before begins no session.
  add column password_version integer not null default 0;

-- The links that work: of each kind the newest of a user.
create table account_links (
  user_id uuid not null references users on delete cascade,
  kind text not null check (kind in ('confirm', 'reset')),
  -- SHA-256 of the token: whoever reads this table can't use it.
  token_hash bytea not null unique,
  expires_at timestamptz not null,
  primary key (user_id, kind)
);
create index account_links_expiry on account_links (expires_at);

-- Who asks for a mail with a link. Both rows are written for an address that is nobody's as well, by one statement, so that neither the
-- answer nor its time tells whether someone has it; a worker then looks who it is.
create table account_requests (
  id bigint generated always as identity primary key,
  email_key text not null,
  kind text not null check (kind in ('confirm', 'reset'))
);
create table account_rates (
  email_key text not null,
  kind text not null,
  -- Of the hour in which they are counted.
  began_at timestamptz not null,
  requests integer not null,
  primary key (email_key, kind)
);
create index account_rates_age on account_rates (began_at);
