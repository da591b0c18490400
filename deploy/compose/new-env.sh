#!/bin/sh
# Prints .env.example with new secrets in its empty places: sh deploy/compose/new-env.sh > .env
set -eu
umask 077

secret() { head -c 32 /dev/urandom | base64 | tr -d '\n'; }
password() { head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n'; }

while IFS= read -r line; do
    case $line in
        AIGUILLEUR_KEYS=) printf '%s1:%s\n' "$line" "$(secret)" ;;
        AIGUILLEUR_LINK_KEY=) printf '%s%s\n' "$line" "$(secret)" ;;
        *_PASSWORD=) printf '%s%s\n' "$line" "$(password)" ;;
        *) printf '%s\n' "$line" ;;
    esac
done <"$(dirname "$0")/.env.example"
