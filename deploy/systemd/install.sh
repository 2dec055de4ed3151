#!/bin/sh
# Install or update Slipway on this server, from the checkout that this script is in: `sudo deploy/systemd/install.sh`.
# Needs Python 3.11 with venv, nginx, openssl, and Redis or Valkey on this machine or in REDIS_URL. Safe to repeat.
set -eu
source=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
target=/opt/slipway
settings=/etc/slipway

getent passwd slipway > /dev/null || useradd --system --home-dir /nonexistent --shell /usr/sbin/nologin slipway
mkdir -p "$target" "$settings"
if [ "$source" != "$target" ]; then
    for each in webapp tasks deploy Procfile requirements.txt; do
        rm -rf "${target:?}/$each"
        cp -R "$source/$each" "$target/$each"
    done
fi
[ -x "$target/.venv/bin/python" ] || python3 -m venv "$target/.venv"
"$target/.venv/bin/pip" install --quiet --require-hashes --only-binary :all: --requirement "$target/requirements.txt"

if [ ! -e "$settings/slipway.env" ]; then
    # Readable for systemd alone; the processes get what is in it.
    (umask 077; printf 'API_KEY=%s\nREDIS_URL=redis://127.0.0.1:6379/0\nPUBLIC_BASE_URL=https://%s\n' \
        "$(openssl rand -hex 24)" "$(hostname)" > "$settings/slipway.env")
    echo "Look through $settings/slipway.env: it holds the first API key."
fi
if [ ! -e "$settings/tls.crt" ]; then
    "$target/deploy/docker/certificate.sh" "$settings" "$(hostname)"
    chmod 0600 "$settings/tls.key"
    echo "The certificate in $settings signs itself: put a real one in its place."
fi

cp "$target"/deploy/systemd/slipway* /etc/systemd/system/
[ -d /run/systemd/system ] || { echo "systemd does not run here: nothing is started."; exit 0; }
systemctl daemon-reload
systemctl enable slipway.target slipway-web slipway-worker@io slipway-worker@cpu slipway-nginx
systemctl restart slipway-web slipway-worker@io slipway-worker@cpu slipway-nginx slipway.target
