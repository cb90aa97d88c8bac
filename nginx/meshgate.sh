#!/bin/sh
# The command on njs, in the image and in the archive. njs has no exit(): the command writes its exit code to descriptor 3
# as its last act. MESHGATE_LIB is the folder of the bundles in the archive.
lib=${MESHGATE_LIB:-/usr/lib/meshgate}
if [ "${1:-}" = revoke ] && [ -z "${MESHGATE_LIB:-}" ]; then
  # Where the gateway in this container keeps its state.
  . /usr/lib/meshgate/common.sh
  choose_state
  export MESHGATE_STATE="$state"
fi
if [ "${1:-} ${2:-}" = 'audit seal' ] && [ -z "${MESHGATE_LIB:-}" ]; then
  # It has a process that gives it the time.
  shift 2
  exec meshgate-seal "$@"
fi
if [ -z "${MESHGATE_LIB:-}${MESHGATE_POLICY:-}" ] && ! [ -e meshgate.yaml ] && [ -e /etc/meshgate/meshgate.yaml ]; then
  # In the image, the policy of the gateway is the default.
  export MESHGATE_POLICY=/etc/meshgate/meshgate.yaml
fi
{ code=$(MESHGATE_EXIT_FD=3 njs -n QuickJS -m "$lib/cli.js" "$@" 3>&1 1>&4 4>&-); failed=$?; } 4>&1
[ "$failed" = 0 ] || exit "$failed"
# Nor does njs send signals: it says to whom.
case $code in
  "reload "[1-9]*)
    pid=${code%%
*}
    kill -HUP "${pid#reload }" || { echo 'meshgate: nginx takes no signal: it was not reloaded' >&2; exit 1; }
    code=${code#*
}
    ;;
esac
case $code in
  [0-9] | [1-9][0-9] | [1-9][0-9][0-9]) exit "$code" ;;
esac
# It never got there, so what it was asked is not answered.
echo 'meshgate: the command stopped half-way, without saying why' >&2
exit 1
