#!/bin/sh
# The command in the image. njs has no exit(): the command writes its exit code to descriptor 3 as its last act.
case ${1:-} in
  # Where the gateway in this container keeps its state.
  revoke)
    . /usr/lib/meshgate/common.sh
    choose_state
    export MESHGATE_STATE="$state"
    ;;
esac
{ code=$(MESHGATE_EXIT_FD=3 njs -n QuickJS -m /usr/lib/meshgate/cli.js "$@" 3>&1 1>&4 4>&-); failed=$?; } 4>&1
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
