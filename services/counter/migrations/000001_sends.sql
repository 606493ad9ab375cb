-- Each send appends a row: a counter row that is locked from prepare to commit would take one sender's sends one at a time.
-- From time to time the rows are folded into one total for each user; the count is the total and what isn't folded yet.

create table sends (
  transaction_id text primary key,
  user_id uuid not null
);
create index sends_of_user on sends (user_id);

create table totals (
  user_id uuid primary key,
  sent bigint not null
);
