#!/bin/sh
# Asks the gateway how it is, over its socket. Exit code 0: well; 1: not; 2: wrong use. The answer goes to standard output.
#
#   meshgate-health [readyz | healthz]
socket=/run/meshgate/health.sock
unwell() { printf 'meshgate-health: %s\n' "$*" >&2; exit 1; }

case $#:${1-readyz} in
  [01]:readyz | 1:healthz) ;;
  *) echo 'meshgate-health: ask readyz or healthz' >&2; exit 2 ;;
esac

# HTTP/1.0: nginx closes the connection after its answer.
answer=$(printf 'GET /.meshgate/%s HTTP/1.0\r\nHost: meshgate\r\n\r\n' "${1-readyz}" | timeout 4 nc -U "$socket" 2>/dev/null)
case $? in
  0) ;;
  124) unwell 'nginx does not answer' ;;
  *) unwell "nginx does not listen on $socket" ;;
esac
[ -n "$answer" ] || unwell 'nginx does not answer'
empty=$(printf '\r\n\r\n.')
empty=${empty%.}
case $answer in *"$empty"*) body=${answer#*"$empty"} ;; *) body='' ;; esac
[ -z "$body" ] || printf '%s\n' "$body"
case $answer in 'HTTP/1.'[01]' 200 '*) exit 0 ;; esac
exit 1
