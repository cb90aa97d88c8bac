#!/bin/sh
# Runs while the image is built: collects the files of the gateway's image in a folder, and says where they come from.
#
#   root.sh FOLDER VERSION
#
# Each program brings the libraries that it needs, each file the copyright of its package. The packages, and the libraries
# whose code is in the bundles, are listed in usr/share/doc/meshgate/sbom.cdx.json (CycloneDX); the packages also in
# var/lib/dpkg/status.d, where scanners of images look.
set -eu
root=$1 version=$2
lists=$(mktemp -d)

# What nginx and the command run, and what they verify certificates with.
served='/usr/sbin/nginx /usr/lib/nginx/modules/ngx_http_js_module.so /usr/lib/nginx/modules/ngx_stream_module.so /usr/bin/njs'
# What the scripts of nginx/ call, and "ls" for those who look into a container. nc connects to the socket of health.
tools='sh cat chmod cut date dirname flock grep head id ls mkdir mv nc.openbsd rm sed sha256sum sleep sort stat timeout tr'
others='/usr/share/nginx/modules /usr/lib/ssl/cert.pem /etc/os-release'

# Copies a file by its path without links, and the links on the way.
add() {
  at=$(realpath "$(dirname "$1")")/$(basename "$1")
  while [ -L "$at" ]; do
    printf '%s\n' "$at" >>"$lists/files"
    next=$(readlink "$at")
    case $next in /*) ;; *) next=$(dirname "$at")/$next ;; esac
    at=$(realpath "$(dirname "$next")")/$(basename "$next")
  done
  # A folder that a link names is made by what is in it.
  [ -d "$at" ] || printf '%s\n' "$at" >>"$lists/files"
}

for file in $served $others $(for tool in $tools; do command -v "$tool"; done); do
  add "$file"
  # A file that is no program has no libraries.
  for library in $(ldd "$(realpath "$file")" 2>/dev/null | sed -nE 's/^[^/]*(\/[^ ]+) .*/\1/p'); do add "$library"; done
done
add /etc/ssl/certs/ca-certificates.crt
sort -u "$lists/files" -o "$lists/files"

mkdir -p "$root"
for name in bin lib lib64 sbin; do ln -s "usr/$name" "$root/$name"; done
(cd / && sed 's|^/||' "$lists/files" | tar -c --no-recursion -T -) | tar -x -C "$root"
ln -s nc.openbsd "$root/usr/bin/nc"

# The packages of these files. ca-certificates makes its bundle itself.
while read -r file; do
  case $file in
    /etc/ssl/certs/ca-certificates.crt) echo ca-certificates ;;
    *) dpkg -S "$file" | sed 's/^\([^:,]*\).*/\1/' ;;
  esac
done <"$lists/files" | sort -u >"$lists/packages"

# The libraries in the bundles, from the file of their licences, as components.
libraries() {
  rule=$(printf '%080d' 0 | tr 0 =)
  while IFS= read -r line; do
    [ "$line" = "$rule" ] || continue
    read -r name number
    read -r licence
    printf ',\n    { "type": "library", "bom-ref": "npm:%s", "name": "%s", "version": "%s", "purl": "pkg:npm/%s@%s",\n' \
      "$name" "$name" "$number" "$(printf '%s' "$name" | sed 's/@/%40/')" "$number"
    printf '      "licenses": [ { "license": { "id": "%s" } } ] }' "$licence"
    read -r _
    read -r line
    [ "$line" = "$rule" ] || { echo "root.sh: cannot read the library $name in the file of licences" >&2; return 1; }
  done
}

doc=$root/usr/share/doc
sbom=$doc/meshgate/sbom.cdx.json
status=$root/var/lib/dpkg/status.d
mkdir -p "$doc/meshgate" "$status"
distribution=$(. /etc/os-release && echo "$ID-${VERSION_ID:-$VERSION_CODENAME}")
{
  printf '{\n  "bomFormat": "CycloneDX",\n  "specVersion": "1.6",\n  "version": 1,\n  "metadata": {\n'
  printf '    "component": { "type": "container", "bom-ref": "meshgate", "name": "meshgate/gateway", "version": "%s" }\n  },\n' "$version"
  printf '  "components": [\n'
  separator=
  while read -r package; do
    dpkg-query -s "$package" >"$status/$package"
    mkdir -p "$doc/$package"
    cp -L "/usr/share/doc/$package/copyright" "$doc/$package/copyright"
    # shellcheck disable=SC2016 # dpkg-query's own variables
    found=$(dpkg-query -W -f '${Version} ${Architecture} ${source:Package} ${source:Version}\n' "$package" | head -n 1)
    # shellcheck disable=SC2086 # four words without spaces
    set -- $found
    # In a purl, a version has no plain colon and plus.
    purl="pkg:deb/debian/$package@$(printf '%s' "$1" | sed 's/:/%3A/g; s/+/%2B/g')?arch=$2&distro=$distribution"
    printf '%s    { "type": "library", "bom-ref": "%s", "name": "%s", "version": "%s", "purl": "%s",\n' \
      "$separator" "$package" "$package" "$1" "$purl"
    printf '      "properties": [ { "name": "debian:source", "value": "%s %s" } ] }' "$3" "$4"
    separator=',
'
  done <"$lists/packages"
  libraries <"$(dirname "$0")/THIRD-PARTY-LICENSES.txt"
  printf '\n  ]\n}\n'
} >"$sbom"

# Root is known by name, for "docker exec --user root".
printf 'root:x:0:0:root:/:/usr/sbin/nologin\nmeshgate:x:10101:10101::/nonexistent:/usr/sbin/nologin\n' >"$root/etc/passwd"
printf 'root:x:0:\nmeshgate:x:10101:\n' >"$root/etc/group"
# They belong to root, although folders of another user are in them.
mkdir -p "$root/run" "$root/var/lib" "$root/var/log"
mkdir -m 1777 "$root/tmp"
rm -r "$lists"
