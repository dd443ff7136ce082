#!/bin/sh
# Backs up the services' databases while they run. Usage: backup.sh FOLDER [SERVICE…]
# PostgreSQL is reached as PGHOST, PGPORT, PGUSER and PGPASSWORD say, or through what FICHE_PG puts before each command:
#   FICHE_PG="docker compose exec -T postgres" deploy/postgres/backup.sh backups/today
set -eu
# Dumps hold all customers: they are for whoever makes them only.
umask 077
folder=$1
shift
mkdir -p "$folder"
for service in ${*:-accounts clients interventions billing equipment maintenance documents imports}; do
    # Whole or not at all: a dump that was cut short must not look like one.
    ${FICHE_PG:-} pg_dump --format=custom --username="${PGUSER:-postgres}" "fiche_$service" > "$folder/.$service.part"
    mv "$folder/.$service.part" "$folder/$service.dump"
    echo "$service"
done
