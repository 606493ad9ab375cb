#!/bin/sh
# A task beside a process that runs: docker compose exec gateway docker/task.sh audit. `deno task` would ask for packages that the image
# doesn't have, since no process of it loads them.
set -eu
cd "$(dirname "$0")/.."
task=$1
shift
exec deno run --no-prompt --quiet --cached-only --allow-net --allow-read=/run/secrets \
  --allow-env='NOTIFYX_*,NODE_ENV,PG*,USERNAME,USER,LOGNAME' "cluster/tasks/$task.ts" "$@"
