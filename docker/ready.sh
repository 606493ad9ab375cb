#!/bin/bash
# Whether the process that listens on HOST and PORT says that it is ready; without a program that the image would need for it.
exec 3<>"/dev/tcp/$1/$2" || exit 1
printf 'GET /health/ready HTTP/1.0\r\nHost: %s\r\n\r\n' "$1" >&3
read -r status <&3
[[ $status == *" 200 "* ]]
