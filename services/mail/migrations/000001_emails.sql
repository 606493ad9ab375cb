-- Mails, from their acceptance to their end: this table says what became of each. The queue (graphile_worker's own tables) only says
-- which of them is to be looked at next; each that is QUEUED or SENDING has one job, whose key is its id.

create table emails (
  id uuid primary key,
  -- Who sends it; for mails of the system itself the nil UUID, which is no user's.
  user_id uuid not null default '00000000-0000-0000-0000-000000000000',
  to_address text not null,
  template text not null,
  data jsonb not null,
  unsubscribe_url text,
  -- As it was sent.
  subject text not null default '',
  status text not null default 'QUEUED' check (status in ('QUEUED', 'SENDING', 'SENT', 'FAILED')),
  -- Jobs of lower ones come first.
  priority smallint not null default 0,
  -- Also the fence: whoever writes the end of an attempt names it.
  attempts integer not null default 0,
  -- Of the last attempt, in the server's words.
  error text,
  created_at timestamptz not null default now(),
  -- From when the time counts after which it is given up.
  queued_at timestamptz not null default now(),
  -- Of the present or last attempt: which node, and since when.
  node_id uuid,
  claimed_at timestamptz,
  ended_at timestamptz
);

-- Small, whatever was sent before: what waits of a sender, and in all.
create index emails_waiting on emails (user_id, created_at) where status in ('QUEUED', 'SENDING');
create index emails_failed on emails (ended_at) where status = 'FAILED';
create index emails_ended on emails (ended_at) where ended_at is not null;

-- How many mails a user has sent since `began_at`, for an hour.
create table mail_rates (
  user_id uuid primary key,
  began_at timestamptz not null,
  mails integer not null
);

-- The nodes that live, each with its lease: whose heartbeat is too old is dead, and what it had is given to the others.
create table mail_nodes (
  id uuid primary key,
  url text not null,
  started_at timestamptz not null default now(),
  heartbeat_at timestamptz not null default now(),
  -- graphile_worker's ids of the pools of workers that lock jobs for this node.
  pools text[] not null default '{}',
  capacity integer not null default 0,
  running integer not null default 0,
  sent bigint not null default 0,
  failed bigint not null default 0
);

-- One row for each connection to the SMTP server that there may be, over all nodes; a node has only as many as it holds rows.
create table mail_slots (
  slot integer primary key,
  node_id uuid references mail_nodes on delete set null
);
create index mail_slots_node on mail_slots (node_id);
