#!/bin/sh
# Renders the policy anew and has nginx load it, without losing a request. A policy that is not good changes nothing.
#
#   docker exec GATEWAY meshgate-reload
set -eu

. /usr/lib/meshgate/common.sh

umask 0027
[ -r "$run/nginx.pid" ] || die "nginx does not run here"
choose_state
rm -rf "$conf.next" "$conf.before"
render_to "$conf.next" || die "the policy $policy could not be rendered, the old one stays"

mv "$conf" "$conf.before" 2>/dev/null || die "$conf is a mount: render where it comes from, then send nginx SIGHUP"
mv "$conf.next" "$conf"
if ! (check_state); then
  rm -rf "$conf"
  mv "$conf.before" "$conf"
  die "the old configuration stays"
fi
if ! problem=$(nginx -t -q -g "worker_processes $workers;" 2>&1); then
  rm -rf "$conf"
  mv "$conf.before" "$conf"
  printf '%s\n' "$problem" >&2
  die "nginx refuses the new configuration, the old one stays"
fi
rm -rf "$conf.before"
prepare_state
master=$(cat "$run/nginx.pid")
workers_before=$(cat "/proc/$master/task/$master/children")
kill -HUP "$master"

# Until each of them takes no more requests, somebody may still be answered by the policy before.
waited=0
for worker in $workers_before; do
  while [ -r "/proc/$worker/cmdline" ] && ! grep -q 'shutting down' "/proc/$worker/cmdline" 2>/dev/null; do
    waited=$((waited + 1))
    [ "$waited" -le 300 ] || die "nginx has not loaded the new configuration after 15 s; its error log says why"
    sleep 0.05
  done
done
say "the policy $policy is loaded"
