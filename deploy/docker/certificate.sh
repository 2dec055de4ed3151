#!/bin/sh
# A certificate that signs itself, for trying out: `certificate.sh DIRECTORY [NAME]`.
set -eu
directory=${1:?where to}
mkdir -p "$directory"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 \
    -subj "/CN=${2:-localhost}" -addext "subjectAltName=DNS:${2:-localhost},IP:127.0.0.1" \
    -keyout "$directory/tls.key" -out "$directory/tls.crt" 2>/dev/null
# nginx runs as another user. Give a real key to that user (10001) instead.
chmod 0644 "$directory/tls.key"
