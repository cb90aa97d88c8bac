#!/bin/sh
# Chromium as one container: DevTools on port 9222 for the host. Chromium itself listens on the loopback address only, so
# socat passes it on. Its own sandbox needs rights that a container lacks; it opens nothing but the tests' own pages.
# What it would ask of its maker's servers is off. More flags may follow.
set -eu
socat TCP-LISTEN:9222,fork,reuseaddr TCP:127.0.0.1:9223 &
exec chromium --headless=new --no-sandbox --remote-debugging-port=9223 --user-data-dir=/home/chromium/profile \
  --disable-dev-shm-usage --disable-gpu --no-first-run --no-default-browser-check --hide-scrollbars --mute-audio \
  --disable-background-networking --disable-component-update --disable-default-apps --disable-extensions \
  --disable-sync --disable-domain-reliability --disable-client-side-phishing-detection --no-pings \
  --disable-background-timer-throttling --disable-backgrounding-occluded-windows --disable-renderer-backgrounding \
  --password-store=basic --use-mock-keychain --log-level=3 --force-color-profile=srgb \
  --disable-features=Translate,OptimizationHints,MediaRouter,CertificateTransparencyComponentUpdater \
  "$@" about:blank
