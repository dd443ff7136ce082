#!/bin/sh
# Puts services' databases back from a backup; they must not run. Usage: restore.sh FOLDER SERVICE…
# PostgreSQL is reached as backup.sh reaches it. Then, for each: fiche restore SERVICE, before it starts again.
set -eu
folder=$1
shift
user=${PGUSER:-postgres}
for service in "$@"; do
    database=fiche_$service
    [ -s "$folder/$service.dump" ] || { echo "$folder/$service.dump is not there" >&2; exit 1; }
    ${FICHE_PG:-} psql --username="$user" --dbname=postgres --quiet -v ON_ERROR_STOP=1 \
        -c "DROP DATABASE IF EXISTS $database WITH (FORCE)" \
        -c "CREATE DATABASE $database OWNER $database ENCODING 'UTF8' TEMPLATE template0 LOCALE 'C.UTF-8'" \
        -c "REVOKE CONNECT ON DATABASE $database FROM PUBLIC"
    ${FICHE_PG:-} pg_restore --exit-on-error --no-owner --role="$database" --username="$user" --dbname="$database" \
        < "$folder/$service.dump"
    echo "$service"
done
