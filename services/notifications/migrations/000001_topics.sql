-- Topics, who was subscribed to them from when to when, and the notifications. There are no foreign keys between them on purpose: a
-- send would lock the topic's row until its transaction is resolved, and many at once would make a multixact of each.

create table topics (
  id uuid primary key,
  name text not null,
  status text not null default 'ACTIVE' check (status in ('ACTIVE', 'INACTIVE')),
  created_by uuid not null,
  created_at timestamptz not null default now()
);
create unique index topics_name on topics (lower(name));

-- One row for each stay: what has a position between joined and "left" is the subscriber's, and stays theirs.
create table subscriptions (
  topic_id uuid not null,
  user_id uuid not null,
  joined bigint not null,
  "left" bigint,
  primary key (topic_id, user_id, joined)
);
create unique index subscriptions_now on subscriptions (topic_id, user_id) where "left" is null;
create index subscriptions_of_user on subscriptions (user_id, topic_id);

-- A broadcast is one row however many subscribers there are; a targeted one names its recipients besides.
create table notifications (
  id uuid primary key,
  topic_id uuid not null,
  from_user_id uuid not null,
  message text not null,
  targeted boolean not null,
  created_at timestamptz not null default clock_timestamp()
);
create table recipients (
  notification_id uuid not null,
  user_id uuid not null,
  primary key (notification_id, user_id)
);

create table acknowledgements (
  user_id uuid not null,
  notification_id uuid not null,
  at timestamptz not null default now(),
  primary key (user_id, notification_id)
);
