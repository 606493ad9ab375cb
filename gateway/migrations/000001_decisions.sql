-- The decision log of the two-phase commit. A transaction's id is the only arbiter: commit and abort are both inserts of that id, and
-- whoever loses reads the winner. No row is no decision yet, which asking may turn into an abort.

create table decisions (
  transaction_id text primary key,
  state text not null check (state in ('committed', 'aborted')),
  -- The services that have to hear of a commit.
  participants text[] not null,
  -- Whether all of them have confirmed it.
  done boolean not null,
  decided_at timestamptz not null default clock_timestamp()
);
create index decisions_unfinished on decisions (decided_at) where not done;
