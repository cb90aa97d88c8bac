#!/bin/sh
# The command in the image. njs has no exit(): the command writes its exit code to descriptor 3 as its last act.
{ code=$(MESHGATE_EXIT_FD=3 njs -n QuickJS -m /usr/lib/meshgate/cli.js "$@" 3>&1 1>&4 4>&-); failed=$?; } 4>&1
[ "$failed" = 0 ] || exit "$failed"
case $code in
  [0-9] | [1-9][0-9] | [1-9][0-9][0-9]) exit "$code" ;;
esac
# It never got there, so what it was asked is not answered.
echo 'meshgate: the command stopped half-way, without saying why' >&2
exit 1
