#!/bin/sh
# Makes ready what the command needs, then becomes the command.
set -eu

if [ -n "${JIVE_SECRET_KEYS:-}" ]; then
    unset JIVE_SECRET_KEYS_FILE # of the two, the settings would take the file
elif [ -n "${JIVE_SECRET_KEYS_FILE:-}" ] && [ ! -e "$JIVE_SECRET_KEYS_FILE" ]; then
    jive keygen "$JIVE_SECRET_KEYS_FILE"
fi

# Any number of these may start at once: the first one migrates, the others wait for it.
case "${1:-} ${2:-}" in
"jive web" | "jive worker") jive migrate ;;
esac

exec "$@"
