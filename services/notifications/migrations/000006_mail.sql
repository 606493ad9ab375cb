-- Notifications by mail: who wants them of which topic, and which are due (mail/follower.ts, mail/hand_over.ts).

-- No row is NEVER as well. A row stays when its user leaves the topic, and counts while they are subscribed.
create table mail_preferences (
  user_id uuid not null,
  topic_id uuid not null,
  preference text not null check (preference in ('NEVER', 'WHEN_AWAY', 'ALWAYS', 'DIGEST')),
  -- Of DIGEST.
  every text not null check (every in ('HOUR', 'DAY')),
  -- Of WHEN_AWAY.
  after_minutes int not null check (after_minutes between 0 and 10080),
  -- Whoever has it may end these mails, and nothing else: 244 bits of the server's strong random source.
  token text not null default replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''),
  primary key (user_id, topic_id)
);
create unique index mail_preferences_token on mail_preferences (token);
-- Those whom a notification concerns.
create index mail_preferences_wanted on mail_preferences (topic_id, user_id) where preference <> 'NEVER';
-- For the removal of a deleted topic's.
create index mail_preferences_of_topic on mail_preferences (topic_id);

-- A digest is of all topics of which its user wants one, so it is ended by a token of its own.
create table mail_digests (
  user_id uuid not null,
  every text not null check (every in ('HOUR', 'DAY')),
  token text not null default replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''),
  primary key (user_id, every)
);
create unique index mail_digests_token on mail_digests (token);

-- One notification for one user, by itself.
create table mail_due (
  user_id uuid not null,
  -- The notification's.
  position bigint not null,
  kind text not null check (kind in ('WHEN_AWAY', 'ALWAYS')),
  due_at timestamptz not null,
  primary key (user_id, position)
);
create index mail_due_next on mail_due (due_at);

-- Something of a topic for a user's digest: what they received from the first position up to the last. However much was sent it is one
-- row for each topic and digest.
create table digest_due (
  user_id uuid not null,
  every text not null check (every in ('HOUR', 'DAY')),
  due_at timestamptz not null,
  topic_id uuid not null,
  first_position bigint not null,
  last_position bigint not null,
  primary key (user_id, every, due_at, topic_id)
) with (fillfactor = 80);
create index digest_due_next on digest_due (due_at, user_id);

-- How far the feed was followed. It is followed by stretches, topic by topic, and user by user, so that no transaction makes more than
-- some rows however many want mail.
create table mail_head (
  sole boolean primary key default true check (sole),
  -- What stands at or before it has been made due.
  position bigint not null,
  -- Of the positions behind it up to this one, that of the topics before topic_id, and of that topic for the users up to user_id.
  stretch_to bigint,
  topic_id uuid,
  user_id uuid
) with (fillfactor = 50);
insert into mail_head (position) select position from feed_head;

-- Which node hands over what is due. It saves the others the work; that nothing is handed over twice is a matter of the rows.
create table mail_lease (
  sole boolean primary key default true check (sole),
  holder uuid,
  expires_at timestamptz not null default '-infinity'
) with (fillfactor = 50);
insert into mail_lease default values;

-- What a user chooses for a topic that they see. NEVER also takes back what waits.
create function set_mail_preference(usr uuid, topic uuid, wanted text, digest_every text, away_minutes int) returns void
language plpgsql as $$
begin
  if not may_see_topic(topic, usr) then
    raise exception 'there is no such topic' using errcode = 'NX404';
  end if;
  insert into mail_preferences (user_id, topic_id, preference, every, after_minutes)
    select usr, topic, wanted, digest_every, away_minutes
      where wanted <> 'NEVER' or exists (select from mail_preferences p where p.user_id = usr and p.topic_id = topic)
    on conflict (user_id, topic_id) do update set
      preference = excluded.preference, every = excluded.every, after_minutes = excluded.after_minutes;
  if wanted = 'DIGEST' then
    insert into mail_digests (user_id, every) values (usr, digest_every) on conflict do nothing;
  elsif wanted = 'NEVER' then
    perform forget_due_mail(usr, topic);
  end if;
end $$;

-- Takes back what waits for a user of one topic. What is committed at this moment by who follows the feed is dropped when it is due.
create function forget_due_mail(usr uuid, topic uuid) returns void language sql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan
as $$
  delete from mail_due d using feed f where d.user_id = usr and f.position = d.position and f.topic_id = topic;
  delete from digest_due where user_id = usr and topic_id = topic;
$$;

-- What a token ends: the mails of a topic, or a digest; no row for one that is unknown. The topic's name is only for whom it may be.
create function mail_of_token(given text) returns table (topic_name text, every text, is_ended boolean) language sql stable
set enable_seqscan = off set plan_cache_mode = force_generic_plan
as $$
  select case when may_see_topic(p.topic_id, p.user_id) then (select name from topics t where t.id = p.topic_id) end,
    null::text, p.preference = 'NEVER'
    from mail_preferences p where p.token = given
  union all
  select null, d.every, not exists (select from mail_preferences p
      where p.user_id = d.user_id and p.preference = 'DIGEST' and p.every = d.every)
    from mail_digests d where d.token = given
$$;

-- Ends what a token is for, and takes back what waits; again is fine. False for one that is unknown.
create function end_mail_of_token(given text) returns boolean language plpgsql
set enable_seqscan = off set plan_cache_mode = force_generic_plan
as $$
declare
  usr uuid;
  topic uuid;
  ended text;
begin
  update mail_preferences set preference = 'NEVER' where token = given returning user_id, topic_id into usr, topic;
  if usr is not null then
    perform forget_due_mail(usr, topic);
    return true;
  end if;
  select user_id, every into usr, ended from mail_digests where token = given;
  if usr is null then
    return false;
  end if;
  update mail_preferences set preference = 'NEVER' where user_id = usr and preference = 'DIGEST' and every = ended;
  delete from digest_due where user_id = usr and every = ended;
  return true;
end $$;
