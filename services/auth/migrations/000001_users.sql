create table users (
  id uuid primary key,
  -- As its owner writes it.
  email text not null,
  -- The same without regard to case: made by the program, so that it doesn't depend on the database's locale.
  email_key text not null unique,
  password_hash text not null,
  created_at timestamptz not null default now()
);
