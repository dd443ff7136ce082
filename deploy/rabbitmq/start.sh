#!/bin/sh
# Fills the logins' passwords into the definitions, which the broker then loads at each of its starts: logins, their
# rights and exchanges come back by themselves, also when its data were lost. Usage: start.sh COMMAND…
set -eu
definitions=${FICHE_DEFINITIONS:-/etc/rabbitmq/fiche-definitions.json}
here=$(dirname "$0")
umask 077
{
    # They stand in addresses and in JSON as they are.
    for name in BROKER ACCOUNTS CLIENTS INTERVENTIONS BILLING EQUIPMENT MAINTENANCE DOCUMENTS IMPORTS GATEWAY; do
        word=$(printenv "FICHE_${name}_PASSWORD")
        case $word in
            '' | *[!A-Za-z0-9._~-]*) echo "FICHE_${name}_PASSWORD: letters, digits and . _ ~ - only" >&2; exit 1 ;;
        esac
        echo "s/\${FICHE_${name}_PASSWORD}/$word/"
    done
} > "$definitions.sed"
sed -f "$definitions.sed" "$here/definitions.json" > "$definitions"
rm "$definitions.sed"
# The image's own start gives up being root.
if [ "$(id -u)" = 0 ] && id rabbitmq > /dev/null 2>&1; then chown rabbitmq "$definitions"; fi
exec "$@"
