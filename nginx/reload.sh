#!/bin/sh
# Renders the policy anew and has nginx load it, without losing a request. A policy that is not good changes nothing.
# Standard output has the digest of the loaded policy, and "unchanged" if it was loaded before.
#
#   docker exec GATEWAY meshgate-reload
set -eu

. /usr/lib/meshgate/common.sh

# The policy that nginx has loaded: a worker says it, even if it is not ready.
loaded() { meshgate-health readyz 2>/dev/null | sed -n 's/.*"policy":"\([0-9a-f]*\)".*/\1/p'; }

# The files that nginx has loaded are at their place again.
put_back() {
  rm -rf "$conf.next"
  [ -d "$conf.before" ] || return 0
  rm -rf "$conf"
  mv "$conf.before" "$conf"
}

umask 0027
[ -r "$run/nginx.pid" ] || die "nginx does not run here"
exec 9>"$run/reload.lock"
flock -w 60 9 || die "another meshgate-reload has not ended within a minute"
# A reload that was killed has left them.
before=$(loaded)
if [ -d "$conf.before" ] && ! { [ -n "$before" ] && [ "$(digest_of "$conf")" = "$before" ]; }; then put_back; fi
rm -rf "$conf.before"
[ -n "$before" ] || before=$(digest_of "$conf")

policy_files >"$rejected_inputs" || true
check_policy
# shellcheck disable=SC2086 # a list of paths without spaces
check_replaced "$policy" ${MESHGATE_OVERLAY:-}
choose_state
trap put_back EXIT
trap 'exit 1' HUP INT TERM
rm -rf "$conf.next"
render_to "$conf.next" || die "the policy $policy could not be rendered, the old one stays"
cat "$conf.next/inputs" >"$rejected_inputs" || true

mv "$conf" "$conf.before" 2>/dev/null || die "$conf is a mount: render where it comes from, then send nginx SIGHUP"
mv "$conf.next" "$conf"
(check_state) || die "the old configuration stays"
(check_same_log "$conf.before" && prepare_audit) || die "the old configuration stays"
if ! problem=$(nginx -t -q -g "worker_processes $workers;" 2>&1); then
  printf '%s\n' "$problem" >&2
  die "nginx refuses the new configuration, the old one stays"
fi
prepare_state
master=$(cat "$run/nginx.pid")
workers_before=$(cat "/proc/$master/task/$master/children")
kill -HUP "$master"

# Whether a process is a worker that takes requests. In a container, the first process also gets orphans as children.
accepts() {
  title=$(tr '\0' ' ' 2>/dev/null < "/proc/$1/cmdline") || return 1
  case $title in *'shutting down'*) return 1 ;; 'nginx: worker process'*) return 0 ;; esac
  return 1
}

# What nginx loads after this has the old files: it gets the signal again, in case that it was only slow.
give_up() {
  put_back
  kill -HUP "$master" 2>/dev/null || true
  die "nginx has not loaded the new configuration after 15 s, so the old one stays; its error log says why"
}

# Until each of them accepts no more requests, it may still decide a request by the earlier policy.
waited=0
for worker in $workers_before; do
  while accepts "$worker"; do
    waited=$((waited + 1))
    [ "$waited" -le 300 ] || give_up
    sleep 0.05
  done
done
now=$(digest_of "$conf")
# The new workers answer as soon as they run.
while [ "$(loaded)" != "$now" ]; do
  waited=$((waited + 1))
  [ "$waited" -le 300 ] || give_up
  sleep 0.05
done
rm -rf "$conf.before" "$rejected" "$rejected_inputs"

if [ "$now" = "$before" ]; then
  say "the policy $policy is the one that was loaded; nginx has read certificates and CAs again"
  ! is_mounted "$policy" ||
    say "if you have changed $policy: the file itself is mounted, and a container keeps the earlier file if an editor or git replaces it; mount its folder"
  printf '%s unchanged\n' "$now"
else
  say "the policy $policy is loaded"
  [ -z "$(audit_setting log)" ] || [ -e "$sealed" ] ||
    say "gateway.audit is new in the policy: start the container again; until then, the log is not sealed and not rotated"
  printf '%s\n' "$now"
fi
