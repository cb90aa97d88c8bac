#!/bin/sh
# Renders the policy and becomes nginx. With arguments: runs them instead (meshgate validate FILE).
#
#   MESHGATE_POLICY    the policy file (/etc/meshgate/meshgate.yaml)
#   MESHGATE_OVERLAY   files that are merged into the policy, in this order
#   MESHGATE_ENV       names of the variables that the policy may use as ${NAME}
#   MESHGATE_MODE      gateway, or sidecar: only answers the checks of an ingress (gateway)
#   MESHGATE_WORKERS   nginx worker processes (auto)
#   MESHGATE_STATE     folder of the shared dictionaries' state (/var/lib/meshgate where writable, else /run/meshgate,
#                      which a policy with sessions and without etcd does not start with)
#   MESHGATE_WATCH     off: a change of the mounted files is loaded only by meshgate-reload
#   MESHGATE_INSTANCE  the name of this gateway among its replicas, in the name of its sealed log (gateway.audit.instance)
#   MESHGATE_SEAL      off: the log of gateway.audit is sealed in another container (on)
#   MESHGATE_LOG_SIZE  MiB after which the log of gateway.audit is rotated; 0: never (100)
#   MESHGATE_RENDERED  1: /run/meshgate/conf holds what was rendered elsewhere, with
#                      meshgate render --target nginx --out OUT --dir /run/meshgate/conf --access-log /dev/stdout --resolver IP
set -eu

[ $# -eq 0 ] || exec "$@"

# The first process of a container gets no signal that it does not ask for: a stop would only kill it later, with the
# requests that nginx then serves. nginx, which takes its place, asks for its own.
trap 'exit 0' QUIT TERM INT

. /usr/lib/meshgate/common.sh

[ "$(id -u)" != 0 ] || die "does not run as root: start the container as its own user, 10101"
if ! [ -w "$run" ]; then
  [ -z "${KUBERNETES_SERVICE_HOST:-}" ] ||
    die "$run is not writable: mount an emptyDir there, and set fsGroup: $(id -g) in the securityContext of the pod"
  die "$run is not writable: mount it with --tmpfs $run:uid=$(id -u),gid=$(id -g),mode=0750"
fi
case $workers in
  auto | [1-9] | [1-9][0-9] | [1-9][0-9][0-9]) ;;
  *) die "MESHGATE_WORKERS is \"$workers\": write a number or auto" ;;
esac

case ${MESHGATE_WATCH:-on} in
  on | off) ;;
  *) die "MESHGATE_WATCH is \"$MESHGATE_WATCH\": write on or off" ;;
esac
case ${MESHGATE_SEAL:-on} in
  on | off) ;;
  *) die "MESHGATE_SEAL is \"$MESHGATE_SEAL\": write on or off" ;;
esac

log_size=${MESHGATE_LOG_SIZE:-100}
case $log_size in
  0 | [1-9] | [1-9][0-9] | [1-9][0-9][0-9] | [1-9][0-9][0-9][0-9]) ;;
  *) die "MESHGATE_LOG_SIZE is \"$log_size\": write MiB, as in 100, or 0 for no rotation" ;;
esac

# Every user who can enter its folder can connect to the check's socket. The group root, which the image's own folder
# has, is that of every user id without an entry.
umask 0027
mode=0750
[ "$(stat -c %g "$run")" = "$(id -g)" ] || mode=0700
# An emptyDir of Kubernetes belongs to root. With fsGroup it also belongs to the group of this user.
if ! chmod $mode "$run" 2>/dev/null && [ $mode = 0700 ]; then
  if [ -n "${KUBERNETES_SERVICE_HOST:-}" ]; then
    say "$run belongs to another group: set fsGroup: $(id -g) in the securityContext of the pod"
  else
    say "$run belongs to another user, its sockets are open to all in this container: mount it with uid=$(id -u),gid=$(id -g),mode=0750"
  fi
fi
mkdir -p "$run/tmp" || die "cannot write to $run"
rm -f "$run"/*.sock

choose_state

if [ "${MESHGATE_RENDERED:-}" = 1 ]; then
  for file in http.conf servers.conf stream.conf policy.js watched.js meshgate.js hop.js signin.js client.js health.js cookies.js counts.js; do
    [ -r "$conf/$file" ] || die "MESHGATE_RENDERED is 1 but there is no readable $conf/$file"
  done
else
  rm -rf "$conf" 2>/dev/null || die "$conf is a mount: set MESHGATE_RENDERED=1 to use what it holds"
  render_to "$conf" || die "the policy $policy could not be rendered, not starting"
fi

check_state
prepare_state
prepare_audit
limit_clients

# What the policy weakens, and hosts that nothing says how to serve, stand at the top of servers.conf.
sed -n 's/^# \(insecure: .*\)/\1/p; s/^# \(not served: .*\)/\1/p' "$conf/servers.conf" | while read -r line; do
  say "$line"
done
grep -Eq '^server( |$)' "$conf/servers.conf" || die "the policy leaves no host to serve, not starting"

say "the policy $policy has the digest $(digest_of "$conf")"

ulimit -n "$(ulimit -H -n)" 2>/dev/null || true

# A state file that nginx cannot read would keep it from starting, for ever.
main="worker_processes $workers;"
until problem=$(nginx -t -q -g "$main" 2>&1); do
  file=$(printf '%s\n' "$problem" |
    sed -n 's/.*while loading js_shared_dict_zone ".*" from state file "\([^"]*\)".*/\1/p' | head -n 1)
  if [ -z "$file" ] || ! [ -f "$file" ]; then
    printf '%s\n' "$problem" | grep -v 'test failed$' >&2 || true
    die "nginx refuses the configuration in $conf, not starting"
  fi
  case $file in
    */revoked.json)
      ! keeps_revocations ||
        die "the state file $file is corrupt, so what was revoked is not known, not starting: restore it, or take it away and end all sessions with \"meshgate keys rotate --leaked\""
      ;;
  esac
  aside=$file.corrupt-$(date -u +%Y%m%dT%H%M%SZ)
  mv "$file" "$aside" || die "the state file $file is corrupt and cannot be moved aside"
  say "the state file $file is corrupt: moved to $aside, what it held is forgotten"
done
[ -z "$problem" ] || printf '%s\n' "$problem" >&2

# The watcher is a child of this process, which becomes nginx: it gets nginx's log, and ends with the container.
rm -f "$turn" "$rejected" "$rejected_inputs" "$sealed"
if [ "${MESHGATE_WATCH:-on}" = on ] && [ "${MESHGATE_RENDERED:-}" != 1 ]; then
  while [ -d "/proc/$$" ]; do
    sh /usr/lib/meshgate/watch.sh $$ || say "the watcher of the mounted files has ended; it starts again"
    sleep 5
  done &
fi

[ -n "$(audit_setting log)" ] || exec nginx -g "daemon off; $main"

# The log is sealed: this process starts nginx and the sealer. When nginx has ended, it waits until the last lines are sealed.
: >"$sealed"
nginx -g "daemon off; $main" &
master=$!
for signal in HUP USR1 USR2 WINCH QUIT TERM INT; do
  # shellcheck disable=SC2064 # the number of now
  trap "kill -$signal $master 2>/dev/null || true" "$signal"
done
if [ "$log_size" != 0 ]; then sh /usr/lib/meshgate/rotate.sh "$log_size" $$ & fi
sealer=
if [ "${MESHGATE_SEAL:-on}" = on ]; then
  (
    over=
    running=
    trap 'over=1; [ -z "$running" ] || kill -TERM "$running" 2>/dev/null || true' TERM
    while [ -z "$over" ]; do
      meshgate-seal &
      running=$!
      [ -z "$over" ] || kill -TERM "$running" 2>/dev/null || true
      failed=
      wait_for "$running" || failed=1
      running=
      [ -n "$over" ] || { say "the sealer has ended; it starts again"; sleep 2; failed=1; }
      # The end came while no sealer ran.
      [ -z "$over" ] || [ -z "$failed" ] || meshgate-seal --once || true
    done
  ) &
  sealer=$!
fi
code=0
wait_for "$master" || code=$?
if [ -n "$sealer" ]; then
  trap '' QUIT TERM INT
  kill -TERM "$sealer" 2>/dev/null || true
  wait "$sealer" || true
fi
exit "$code"
