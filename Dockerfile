# One image for every process of Notifyx; the command names which one it is, and docker/node.sh gives it the permissions of its kind.

FROM denoland/deno:bin-2.9.6 AS deno

# What the build and the image both stand on. Packages and compiled code are in /deno-dir, which no process of the image writes to.
FROM debian:13.6-slim AS base
COPY --from=deno /deno /usr/local/bin/deno
ENV DENO_DIR=/deno-dir DENO_NO_UPDATE_CHECK=1
WORKDIR /app

# A layer of its own for the packages: it is made again only where deno.json or deno.lock have changed.
FROM base AS packages
COPY deno.json deno.lock ./
RUN deno install --frozen

# The web client, and the code of every process and task as it is loaded; then what none of them loads goes.
FROM packages AS build
COPY . .
# Whatever umask the checkout was made with: who runs it owns nothing of it.
RUN chmod -R a+rX /app
RUN deno task client:build && rm -r .data/client/packages
RUN set -- services/*/main.ts services/avatar/worker.ts gateway/main.ts client/server/main.ts \
    cluster/node_command.ts cluster/tasks/audit.ts cluster/tasks/identity.ts cluster/tasks/new_epoch.ts cluster/tasks/withdraw.ts \
  && deno cache --frozen "$@" \
  && deno clean --except "$@"

FROM base
# The folders of docker/secrets.sh: a new volume takes over whose they are.
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin notifyx \
  && install --directory --owner=notifyx --group=notifyx \
    /run/secrets/cluster /run/secrets/database-owner /run/secrets/database /run/secrets/grafana
COPY --from=build /deno-dir /deno-dir
COPY --from=build /app /app
# Deno would want every package of deno.json otherwise, whether it is loaded or not.
ENV NODE_ENV=production DENO_UNSTABLE_NPM_LAZY_CACHING=1
USER 10001:10001
ENTRYPOINT ["/app/docker/node.sh"]
