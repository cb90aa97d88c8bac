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

# A policy with sessions has a folder where "meshgate revoke" lays what is to be called back.
prepare_state() {
  ! grep -q 'zone=meshgate_revoked:' "$conf/http.conf" || mkdir -p "$state/revoke" || die "cannot write to $state"
}
