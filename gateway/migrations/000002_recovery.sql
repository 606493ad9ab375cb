-- Who drives phase two: a decision belongs to the gateway that made it for as long as that one renews its lease. Leases never say what was
-- decided.
alter table decisions add column owner text;
create table leases (
  gateway_id text primary key,
  until timestamptz not null
);

-- Which services take part in an operation. Once a service has named an operation it is required in it, though it stop, until it is
-- withdrawn on purpose.
create table participants (
  operation text not null,
  service text not null,
  named_at timestamptz not null default now(),
  primary key (operation, service)
);

-- The transaction that a user's key stands for, written before the transaction begins.
create table idempotency_keys (
  user_id text not null,
  key text not null,
  -- Of the input: the same key with another one is a conflict.
  fingerprint text not null,
  transaction_id text not null,
  created_at timestamptz not null default clock_timestamp(),
  primary key (user_id, key)
);
create index idempotency_keys_age on idempotency_keys (created_at);
create index decisions_finished on decisions (decided_at) where done;
