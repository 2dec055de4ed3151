#!/bin/sh
# Become one of the processes of the Procfile: `start.sh web`, `start.sh worker-io`; or any other command as it is.
# Containers and systemd units use it, so that a process is the same wherever it runs.
set -eu
cd -- "$(dirname -- "$0")/.."
command=$(sed -n "s/^${1:?which process?}: //p" Procfile)
if [ -n "$command" ]; then
    # The command asks for its settings as the shell does.
    exec sh -c "exec $command"
fi
exec "$@"
