#!/bin/sh
# Make a key if no setting names one, migrate the database for web and worker, then become the command.
set -eu

if [ -z "${JIVE_SECRET_KEYS:-}" ] && [ -n "${JIVE_SECRET_KEYS_FILE:-}" ] && [ ! -e "$JIVE_SECRET_KEYS_FILE" ]; then
    jive keygen "$JIVE_SECRET_KEYS_FILE"
fi

# Containers may start at the same time: the first one migrates, the others wait for it.
case "${1:-} ${2:-}" in
"jive web" | "jive worker") jive migrate ;;
esac

exec "$@"
