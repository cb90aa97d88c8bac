# What the entrypoint, meshgate-reload and the watcher share.
# shellcheck shell=sh
run=/run/meshgate
conf=$run/conf
volume=/var/lib/meshgate
policy=${MESHGATE_POLICY:-/etc/meshgate/meshgate.yaml}
workers=${MESHGATE_WORKERS:-auto}
# What readyz says of the watcher: the time of its last turn, and why it has rejected a change.
turn=$run/watch.turn
rejected=$run/watch.rejected
# The files that a rejected change was made from: to correct one of them is a change, even if nginx has loaded none of them.
rejected_inputs=$run/watch.inputs
# Whether the container was started for a log that is sealed.
sealed=$run/sealed-log

say() { printf 'meshgate: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# What is rendered: the gateway, or the sidecar that only answers the checks of an ingress.
case ${MESHGATE_MODE:-gateway} in
  gateway) target=nginx ;;
  sidecar) target=ext-authz ;;
  *) die "MESHGATE_MODE is \"$MESHGATE_MODE\": write gateway or sidecar" ;;
esac

# Where the dictionaries' state lives, in $state.
choose_state() {
  state=${MESHGATE_STATE:-}
  if [ -n "$state" ]; then
    if ! [ -d "$state" ] || ! [ -w "$state" ]; then
      die "MESHGATE_STATE is \"$state\": not a folder that user $(id -u) can write to"
    fi
  elif [ -w $volume ]; then
    state=$volume
  else
    state=$run/state
    mkdir -p "$state"
  fi
}

# Which folder on the way to a file this user may not enter. Such a folder hides everything below it.
closed_folder() {
  folder=$(dirname "$1")
  while [ "$folder" != / ] && [ "$folder" != . ]; do
    if [ -d "$folder" ] && ! [ -x "$folder" ]; then
      printf '%s\n' "$folder"
      return 0
    fi
    folder=$(dirname "$folder")
  done
  return 1
}

# Fails if the policy cannot be read, and says what to do.
check_policy() {
  ! closed=$(closed_folder "$policy") ||
    die "user $(id -u) may not enter the folder $closed: run chmod o+x on it where it is mounted from, or in Kubernetes set fsGroup: $(id -g)"
  [ -e "$policy" ] || die "no policy at $policy: mount its folder there, or set MESHGATE_POLICY"
  [ -f "$policy" ] || die "$policy is not a file: Docker makes a folder if the file to mount does not exist"
  [ -r "$policy" ] ||
    die "user $(id -u) may not read the policy $policy: run chmod o+r on it where it is mounted from, or in Kubernetes set fsGroup: $(id -g)"
}

# Whether a file was replaced outside. If the file itself is mounted, the container then keeps the earlier file, which
# has no name any more.
is_replaced() { [ "$(stat -L -c %h "$1" 2>/dev/null)" = 0 ]; }

# Whether the file itself is mounted, and not a folder around it.
is_mounted() { cut -d ' ' -f 5 /proc/self/mountinfo | grep -qxF "$1"; }

# Fails if one of these files was replaced outside.
check_replaced() {
  for file; do
    ! is_replaced "$file" ||
      die "$file was replaced outside, but this container keeps the earlier file, because the file itself is mounted: mount its folder (-v \"\$PWD/policy:$(dirname "$file"):ro\"), and start the container again"
  done
}

# The digest of the policy in a folder of rendered files; nothing if there are none.
digest_of() { sed -n 's/^  "policy": "\([0-9a-f]*\)",$/\1/p' "$1/watched.js" 2>/dev/null || true; }

# The files that are rendered: the policy and the files merged into it. A policy with teams or profiles can name any YAML
# file below its own folder, as deep as this.
# shellcheck disable=SC2086 # a list of paths without spaces
policy_files() {
  printf '%s\n' "$policy" ${MESHGATE_OVERLAY:-}
  for file in "$policy" ${MESHGATE_OVERLAY:-}; do ! [ -f "$file" ] || cat -- "$file"; done 2>/dev/null | grep -qE '(teams|profiles)["'\'']? *:' || return 0
  below=$(dirname "$policy")
  for yaml in "$below"/*.y*ml "$below"/*/*.y*ml "$below"/*/*/*.y*ml "$below"/*/*/*/*.y*ml; do
    ! [ -f "$yaml" ] || [ "$yaml" = "$policy" ] || printf '%s\n' "$yaml"
  done
}

# The files of a configuration that nginx reads only when it loads it. A path in a variable is read at each connection.
certificate_files() {
  grep -rhoE '(certificate|certificate_key) "?/[^";]+' "$1" --include='*.conf' | sed -E 's/^[a-z_]+ "?//' | sort -u
}

# The digests of the files whose paths are on standard input, one in a line. A file that is missing has a line too. To read
# a pipe would never end.
digests() {
  while IFS= read -r file; do
    if [ -f "$file" ]; then sha256sum -- "$file" 2>&1 || true; else printf 'no file: %s\n' "$file"; fi
  done
}

# Renders the policy and its stage into a folder; the files in it name each other as if they were in $conf. Its files
# "inputs" and "digests" name the files that it was made from: what watch.sh compares.
render_to() {
  check_policy
  mkdir "$1"
  # Read before they are rendered: if a file changes meanwhile, the digest differs.
  read=$(policy_files | digests)
  at=$1
  set -- --out "$1"
  for overlay in ${MESHGATE_OVERLAY:-}; do set -- "$@" --overlay "$overlay"; done
  for name in ${MESHGATE_ENV:-}; do set -- "$@" --env "$name"; done
  [ -z "${MESHGATE_INSTANCE:-}" ] || set -- "$@" --instance "$MESHGATE_INSTANCE"
  meshgate render --target $target --check-files "$@" --dir "$conf" --access-log /dev/stdout --state-dir "$state" "$policy" >/dev/null ||
    return 1
  { policy_files; certificate_files "$at"; } >"$at/inputs"
  { printf '%s\n' "$read"; certificate_files "$at" | digests; } >"$at/digests"
}

# The file system that a folder is in.
filesystem() { stat -f -c %T "$1" 2>/dev/null; }

# Whether revocations are kept in the state alone: other replicas have them through etcd.
keeps_revocations() {
  grep -q 'zone=meshgate_revoked:' "$conf/http.conf" && ! grep -q '^upstream meshgate_etcd_' "$conf/http.conf"
}

# What is revoked has to outlive a restart: without a folder for it or etcd, a revoked session would pass again.
check_state() {
  keeps_revocations || return 0
  ! grep -q '^# insecure: gateway.session.insecure_forget_revocations' "$conf/servers.conf" || return 0
  case $(filesystem "$state") in
    tmpfs | ramfs) ;;
    overlayfs | overlay)
      say "$state is in the container's own layer: a new container forgets what is revoked; mount a volume at /var/lib/meshgate (-v meshgate-state:/var/lib/meshgate)"
      return 0
      ;;
    *) return 0 ;;
  esac
  ! is_mounted "$volume" || [ -w "$volume" ] ||
    die "user $(id -u) may not write to $volume, so what is revoked would be forgotten at a restart: run chown $(id -u) on the folder where it is mounted from, mount it without ro, or in Kubernetes set fsGroup: $(id -g)"
  die "what is revoked would be forgotten at a restart, since $state is in memory: mount a volume at /var/lib/meshgate (-v meshgate-state:/var/lib/meshgate), share revocations through gateway.store, or write gateway.session.insecure_forget_revocations: true"
}

# A policy with sessions has a folder into which "meshgate revoke" puts its files.
prepare_state() {
  ! grep -q 'zone=meshgate_revoked:' "$conf/http.conf" || mkdir -p "$state/revoke" || die "cannot write to $state"
}

# Writes clients.conf: how many clients each worker accepts, if the container has a limit of memory. Each has room for an
# open WebSocket, which docs/sizing.md measures, beside the zones and 32 MiB for each process of nginx. If the memory is used
# up, the kernel kills a worker, with the connections of all. One address gets at most an eighth of these, unless the policy
# gives it more than the default: otherwise one could take them all.
limit_clients() {
  : >"$run/clients.conf"
  bytes=$(cat /sys/fs/cgroup/memory.max 2>/dev/null || cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || true)
  case $bytes in '' | *[!0-9]*) return 0 ;; esac
  count=$workers
  [ "$count" != auto ] || count=$(grep -c ^processor /proc/cpuinfo)
  kilobytes=0
  for size in $(sed -n 's/.*zone=[a-z_]*:\([0-9]*[km]\).*/\1/p' "$conf/http.conf" "$conf/stream.conf"); do
    case $size in
      *m) kilobytes=$((kilobytes + ${size%m} * 1024)) ;;
      *k) kilobytes=$((kilobytes + ${size%k})) ;;
    esac
  done
  clients=$(((bytes / 1024 - kilobytes - 32768 * (count + 1)) / count / 128))
  [ "$clients" -lt 8192 ] || return 0
  if [ "$clients" -lt 128 ]; then
    say "the limit of memory, $((bytes / 1048576)) MiB, has room for less than 128 clients of each worker: raise it, or set fewer workers"
    clients=128
  fi
  say "each worker accepts $clients clients, for which the limit of memory has room"
  printf 'limit_conn_zone $pid zone=meshgate_front_memory:1m; limit_conn meshgate_front_memory %s;\n' "$clients" >"$run/clients.conf"
  share=$((clients / 8))
  each=$(sed -n 's/.* limit_conn meshgate_front_from \([0-9]*\);.*/\1/p' "$conf/stream.conf")
  if [ "${each:-0}" -le 256 ] && [ "$share" -lt "${each:-0}" ]; then
    say "each worker accepts $share clients of one address: gateway.connections.per_address does not fit into the limit of memory"
    printf 'limit_conn_zone $meshgate_front_from zone=meshgate_front_share:8m; limit_conn meshgate_front_share %s;\n' "$share" >>"$run/clients.conf"
    printf 'limit_conn_zone $meshgate_front_site zone=meshgate_front_share_site:8m; limit_conn meshgate_front_share_site %s;\n' "$((2 * share))" >>"$run/clients.conf"
  fi
}

# Waits until a process has ended, and returns its exit code. A signal with a trap ends a wait earlier.
wait_for() {
  while :; do
    ended=0
    wait "$1" || ended=$?
    kill -0 "$1" 2>/dev/null || return "$ended"
  done
}

# A setting of the sealed log; nothing if the log is not sealed.
audit_setting() { sed -n "s/^  \"$1\": \"\(.*\)\",\$/\1/p" "$conf/audit/seal.json" 2>/dev/null || true; }

# Fails if the log in the folder has another name: the sealer would seal nothing. The default name is that of the first
# host, so a new host in front of it changes the name.
check_origin() {
  folder=$(audit_setting folder)
  name=$(sed -n '1s/+.*//p' "$folder/keys/first" 2>/dev/null || true)
  [ -z "$name" ] || [ "$name" = "$(audit_setting origin)" ] ||
    die "the sealed log in $folder is $name, and the policy says $(audit_setting origin): write gateway.audit.host: ${name%%/*} and instance: ${name##*/}, or give the new log a folder and a key of its own"
}

# Fails if a reload would change where the log is. Workers that end write their last lines to the earlier file, where the
# sealer does not look any more.
check_same_log() {
  for key in log folder; do
    had=$(conf=$1 && audit_setting "$key")
    has=$(audit_setting "$key")
    [ -z "$had" ] || [ -z "$has" ] || [ "$had" = "$has" ] ||
      die "a reload cannot change gateway.audit.$key from $had to $has: start the container again"
  done
}

# Fails if nginx cannot write the log that is sealed. Says what is lost with the container.
prepare_audit() {
  log=$(audit_setting log)
  [ -n "$log" ] || return 0
  at=$(dirname "$log")
  { [ -d "$at" ] || mkdir -p "$at" 2>/dev/null; } && [ -w "$at" ] ||
    die "user $(id -u) may not write the log $log: mount a volume at $at (-v meshgate-log:$at), or write a folder of a volume in gateway.audit.log"
  check_origin
  [ "${MESHGATE_SEAL:-on}" = on ] || return 0
  folder=$(audit_setting folder)
  mkdir -p "$folder" 2>/dev/null && [ -w "$folder" ] ||
    die "user $(id -u) may not write the sealed log in $folder: mount a volume there, or write a folder of a volume in gateway.audit.folder"
  case $(filesystem "$folder") in
    tmpfs | ramfs | overlayfs | overlay)
      say "the sealed log in $folder is in no volume: a new container begins a new log with a new key; mount a volume at $volume (-v meshgate-state:$volume)"
      ;;
  esac
}
