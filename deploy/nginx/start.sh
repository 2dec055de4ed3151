#!/bin/sh
# Fill in the template and become nginx: `start.sh [option of nginx]…`, such as `start.sh -t`.
# Every variable may be set from outside; the defaults fit compose.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)

: "${RUN_DIR:=/tmp/nginx}"
: "${HTTP_PORT:=8080}"
: "${HTTPS_PORT:=8443}"
: "${PUBLIC_PORT:=}"              # `:8443` when clients name a port, nothing when it is 443
: "${SERVER_NAME:=_}"
: "${CERTIFICATE:=/run/secrets/tls.crt}"
: "${CERTIFICATE_KEY:=/run/secrets/tls.key}"
: "${UPSTREAM:=server web:8000 max_fails=0;}"
: "${REAL_IP_FROM:=}"             # `set_real_ip_from 10.0.0.0/8;`
: "${MAX_BODY:=1m}"               # as MAX_BODY_BYTES
: "${MAX_FILE:=64m}"             # as MAX_FILE_BYTES
: "${MAX_INFERENCE:=64m}"         # as MAX_INFERENCE_BYTES
: "${MAX_MODEL:=512m}"            # as MAX_MODEL_BYTES
: "${RATE:=50r/s}"                # calls of one address: an office behind one address is many people
: "${BURST:=100}"                 # two seconds of it at once: a page that opens
: "${STREAMS:=200}"               # streams, sockets and downloads of one address at once

names="RUN_DIR HTTP_PORT HTTPS_PORT PUBLIC_PORT SERVER_NAME CERTIFICATE CERTIFICATE_KEY UPSTREAM REAL_IP_FROM MAX_BODY MAX_FILE MAX_INFERENCE MAX_MODEL RATE BURST STREAMS"
script=
for name in $names; do
    eval "value=\$$name"
    value=$(printf '%s' "$value" | sed 's/[\\&|]/\\&/g')
    script="$script;s|\${$name}|$value|g"
done

# nginx makes the folders below, not this one.
mkdir -p "$RUN_DIR/conf"
for file in "$here"/*.conf "$here"/*.conf.template; do
    sed "$script" "$file" > "$RUN_DIR/conf/$(basename "$file" .template)"
done
# -e: before it has read its configuration, nginx would write to a folder that only root may write.
exec nginx -e stderr -p "$RUN_DIR" -c "$RUN_DIR/conf/nginx.conf" "$@"
