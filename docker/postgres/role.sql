-- The role of the services, at the first start of a server: it may make databases, each service its own, and nothing else.
\set password `cat /run/secrets/database/password`
create role notifyx login createdb password :'password';
