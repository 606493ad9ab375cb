-- The trace of what caused a mail, where that is traced: its attempts join it.

alter table emails add column traceparent text;
