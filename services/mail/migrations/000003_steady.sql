-- Since when the nodes have reached the database without a pause, as far as this one knows: a node that begins has it from those that live,
-- so that dead ones are found out however short the others live.

alter table mail_nodes add column steady_since timestamptz not null default now();
