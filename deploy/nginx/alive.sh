#!/bin/sh
# Whether the master lives: this image has no client to ask with.
kill -0 "$(cat "${RUN_DIR:-/tmp/nginx}/nginx.pid")"
