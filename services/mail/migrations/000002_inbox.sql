-- What the development inbox has received: the newest, as they came.

create table inbox_mails (
  id bigint generated always as identity primary key,
  received_at timestamptz not null default now(),
  -- The envelope: who a mail says that it is from and for may be others.
  sender text not null,
  recipients text[] not null,
  -- From the header, for lists.
  from_text text not null,
  subject text not null,
  size integer not null,
  source bytea not null
);
