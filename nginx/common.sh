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
  die "what is revoked would be forgotten at a restart, since $state is in memory: mount a volume at /var/lib/meshgate (-v meshgate-state:/var/lib/meshgate), share revocations through gateway.store, or write gateway.session.insecure_forget_revocations: true"
}

# A policy with sessions has a folder where "meshgate revoke" lays what is to be called back.
prepare_state() {
  ! grep -q 'zone=meshgate_revoked:' "$conf/http.conf" || mkdir -p "$state/revoke" || die "cannot write to $state"
}
