#!/bin/sh
# Runs beside nginx: when a file that the configuration was made from has changed, loads it as meshgate-reload does. If
# that fails, nginx keeps what it has loaded. The log says why once, and readyz as long as it lasts.
#
#   watch.sh PID    of nginx's master process; ends with it
set -u

. /usr/lib/meshgate/common.sh
master=$1

# A path may contain spaces.
IFS='
'
set -f

# Tells that a file may have changed, also one behind a link that was exchanged. It costs less than the digests.
# shellcheck disable=SC2046 # one path in a line
look() { stat -L -c '%n %d:%i %h %s %y %z' -- $(cat "$conf/inputs" "$rejected_inputs" 2>/dev/null) 2>&1; }

# The digests of the files that a rejected change was made from.
rejected_digests() { ! [ -f "$rejected_inputs" ] || digests <"$rejected_inputs"; }

# Waits until nothing writes to the files, for some seconds.
settle() {
  for _ in 1 2 3 4; do
    before=$now
    sleep 1
    now=$(look)
    [ "$now" != "$before" ] || return 0
  done
}

# The first line that says more than a remark, without the time and the process of nginx's lines.
reason() { sed -E '/: file_exposed: /d; s/^[0-9/]+ [0-9:]+ (\[[a-z]+\]) [0-9#]+: /\1 /; s/^meshgate: //' | head -n 1 | cut -c 1-300; }

load() {
  if said=$(meshgate-reload 2>&1 >/dev/null); then
    printf '%s\n' "$said" >&2
    tried=
    return
  fi
  before=$why
  why=$(printf '%s\n' "$said" | reason)
  if [ "$tried" != "$digests" ] || [ "$why" != "$before" ]; then
    printf '%s\n' "$said" >&2
    say "the change is rejected, and nginx keeps what it has loaded: correct the files, the next change is loaded at once"
  fi
  tried=$digests
  tried_too=$(rejected_digests)
  # It may be another's fault: a name that was not resolved.
  turns=30
  printf '%s\n' "$why" >"$rejected.new"
  mv "$rejected.new" "$rejected"
}

# The last look; empty: look at the digests in any case.
seen=
# The digests of the files that were rejected: of those that nginx has loaded, and of those that the change names.
tried=
tried_too=
why=
turns=0
rm -f "$rejected"
while [ -d "/proc/$master" ]; do
  : >"$turn"
  now=$(look)
  turns=$((turns - 1))
  if [ "$now" != "$seen" ] || { [ -n "$tried" ] && [ "$turns" -le 0 ]; }; then
    [ -z "$seen" ] || [ "$now" = "$seen" ] || settle
    seen=$now
    digests=$(digests <"$conf/inputs")
    if [ "$digests" = "$(cat "$conf/digests")" ]; then
      [ -z "$tried" ] || say "the files are again those that nginx has loaded"
      tried=
      rm -f "$rejected" "$rejected_inputs"
    elif [ "$digests" = "$tried" ] && [ "$turns" -gt 0 ] && [ "$(rejected_digests)" = "$tried_too" ]; then
      :
    elif meshgate-health healthz >/dev/null 2>&1; then
      load
    else
      # nginx starts or ends.
      seen=
    fi
  fi
  sleep 2
done
