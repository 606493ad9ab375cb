#!/bin/sh
# The secrets of one installation, made at its first start: each in a folder that is a volume of its own, which those have that need it.
set -eu
umask 0222
folder=$1

random() {
  od -An -v -tx1 -N 24 /dev/urandom | tr -d ' \n'
}

# keep FILE: its standard input, unless the file is there already; never a half of it.
keep() {
  [ -s "$folder/$1" ] || { cat > "$folder/$1.$$" && mv "$folder/$1.$$" "$folder/$1"; }
}

random | keep cluster/secret
random | keep database-owner/password
random | keep database/password
printf 'postgres://notifyx:%s@postgres:5432\n' "$(cat "$folder/database/password")" | keep database/url
random | keep grafana/password
