# What the entrypoint and meshgate-reload share.
# shellcheck shell=sh
run=/run/meshgate
conf=$run/conf
policy=${MESHGATE_POLICY:-/etc/meshgate/meshgate.yaml}
workers=${MESHGATE_WORKERS:-auto}

say() { printf 'meshgate: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# Where the dictionaries' state lives, in $state.
choose_state() {
  state=${MESHGATE_STATE:-}
  if [ -n "$state" ]; then
    if ! [ -d "$state" ] || ! [ -w "$state" ]; then
      die "MESHGATE_STATE is \"$state\": not a folder that user $(id -u) can write to"
    fi
  elif [ -w /var/lib/meshgate ]; then
    state=/var/lib/meshgate
  else
    state=$run/state
    mkdir -p "$state"
  fi
}

# Renders the policy into a folder; the files in it name each other as if they were in $conf.
render_to() {
  [ -e "$policy" ] || die "no policy at $policy: mount one there, or set MESHGATE_POLICY"
  [ -r "$policy" ] || die "the policy $policy is not readable by user $(id -u)"
  mkdir "$1"
  meshgate render --target nginx --out "$1" --dir "$conf" --access-log /dev/stdout --state-dir "$state" "$policy" >/dev/null
}

# Whether a folder is in memory, and forgotten with the container.
in_memory() {
  case $(stat -f -c %T "$1" 2>/dev/null) in
    tmpfs | ramfs) return 0 ;;
    *) return 1 ;;
  esac
}

# What is revoked has to outlive a restart: without a folder for it or etcd, a revoked session would pass again.
check_state() {
  grep -q 'zone=meshgate_revoked:' "$conf/http.conf" || return 0
  ! grep -q '^upstream meshgate_etcd_' "$conf/http.conf" || return 0
  in_memory "$state" || return 0
  ! grep -q '^# insecure: gateway.session.insecure_forget_revocations' "$conf/servers.conf" || return 0
  die "what is revoked would be forgotten at a restart, since $state is in memory: mount a volume at /var/lib/meshgate (-v meshgate-state:/var/lib/meshgate), share revocations through gateway.store, or write gateway.session.insecure_forget_revocations: true"
}

# A policy with sessions has a folder where "meshgate revoke" lays what is to be called back.
prepare_state() {
  ! grep -q 'zone=meshgate_revoked:' "$conf/http.conf" || mkdir -p "$state/revoke" || die "cannot write to $state"
}
