#!/bin/sh
# Seals the log of the gateway: grows the transparency log of gateway.audit. Ends on SIGTERM, when the last lines are sealed.
#
#   meshgate-seal [--once] [SETTINGS]
#
#   --once              seals what is there, and ends
#   SETTINGS            audit/seal.json of the rendered policy (/run/meshgate/conf/audit/seal.json)
#   MESHGATE_SEAL_KEY   the folder of the signing key (private in the folder of the log)
#   MESHGATE_SEAL_LOG, MESHGATE_SEAL_FOLDER, MESHGATE_SEAL_WITNESSES
#                       the log, the folder of the sealed log, and the keys of the witnesses: if the settings name others, it
#                       ends (as they say; if one of them is set, no witnesses)
set -eu

once=
if [ "${1:-}" = --once ]; then once=1; shift; fi
settings=${1:-/run/meshgate/conf/audit/seal.json}
say() { printf 'meshgate-seal: %s\n' "$*" >&2; }

# In a container of its own, it may start before the gateway has rendered the policy.
waited=0
over=
trap 'over=1' TERM QUIT INT
until [ -r "$settings" ] || [ -n "$once" ]; do
  [ -z "$over" ] || exit 0
  waited=$((waited + 1))
  [ $((waited % 60)) -ne 1 ] || say "waits for $settings, which the gateway renders if its policy has gateway.audit"
  sleep 1
done

# The command njs has no timers: each line is a turn, and the end of the lines is the end. It comes on SIGTERM, and when
# this process has ended in another way.
ticks() {
  [ -z "$once" ] || return 0
  trap 'exit 0' TERM
  while [ -d "/proc/$1" ]; do
    echo
    sleep 0.45
  done
}

# The log names people: others may not read it.
umask 0027
ticks $$ | njs -n QuickJS -m "${MESHGATE_LIB:-/usr/lib/meshgate}/seal.js" "$settings" --remove-rotated \
  ${MESHGATE_SEAL_KEY:+--key-folder "$MESHGATE_SEAL_KEY"} ${MESHGATE_SEAL_LOG:+--log "$MESHGATE_SEAL_LOG"} \
  ${MESHGATE_SEAL_FOLDER:+--folder "$MESHGATE_SEAL_FOLDER"} \
  ${MESHGATE_SEAL_WITNESSES:+--witnesses "$MESHGATE_SEAL_WITNESSES"} &
sealer=$!
stop() {
  for child in $(cat "/proc/$$/task/$$/children"); do
    [ "$child" = "$sealer" ] || kill -TERM "$child" 2>/dev/null || true
  done
}
trap stop TERM QUIT INT
[ -z "$over" ] || stop
# A signal ends the first wait, and the sealer goes on until its last lines are sealed.
while code=0 && wait "$sealer" || code=$? && kill -0 "$sealer" 2>/dev/null; do :; done
exit "$code"
