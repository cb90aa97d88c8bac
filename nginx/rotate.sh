#!/bin/sh
# Runs beside nginx if the log is sealed: renames the log when it is large, and has nginx open a new one. The sealer removes
# the renamed files when all their lines are sealed.
#
#   rotate.sh MIB PID    ends with this process
set -u

bytes=$(($1 * 1048576)) container=$2

. /usr/lib/meshgate/common.sh

while [ -d "/proc/$container" ]; do
  # Not more often than once a minute: the sealer keeps the files of the last ten minutes open.
  sleep 60
  log=$(audit_setting log)
  size=$(stat -c %s "$log" 2>/dev/null) || continue
  [ "$size" -ge "$bytes" ] || continue
  mv "$log" "$log.$(date -u +%Y%m%dT%H%M%SZ)" && kill -USR1 "$(cat $run/nginx.pid)"
done
