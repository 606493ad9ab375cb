#!/bin/sh
# One node, of the kind that is named: Deno with the permissions that cluster/nodes.ts gives to that kind, and no others.
set -eu
cd "$(dirname "$0")/.."

# A program of its own says which, and has ended when the node begins.
command=$(deno run --no-prompt --quiet --cached-only \
  --allow-read --allow-env='NOTIFYX_*,OTEL_*' --allow-sys=networkInterfaces cluster/node_command.ts "$@")
eval "$command"
