#!/bin/sh
# pages.sh CADDYFILE SECRET: the proxy of pages.Caddyfile, which is a member of the cluster. The secret is read from its file here, so
# that no description of a container has it.
set -eu
NOTIFYX_CLUSTER_SECRET=$(cat "$2")
export NOTIFYX_CLUSTER_SECRET
exec caddy run --adapter caddyfile --config "$1"
