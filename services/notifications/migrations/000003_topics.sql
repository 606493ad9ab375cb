-- What a topic's creator may set, who is invited, and topics that were deleted: these are gone for everybody at once, and their rows are
-- removed in small batches.

alter table topics
  add visibility text not null default 'PUBLIC' check (visibility in ('PUBLIC', 'INVITE')),
  add retention_days int not null default 30 check (retention_days between 1 and 3650),
  add deleted_at timestamptz;
drop index topics_name;
create unique index topics_name on topics (lower(name)) where deleted_at is null;

create table invitations (
  topic_id uuid not null,
  user_id uuid not null,
  at timestamptz not null default now(),
  primary key (topic_id, user_id)
);
create index invitations_of_user on invitations (user_id);
