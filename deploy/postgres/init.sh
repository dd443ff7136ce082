#!/bin/sh
# A database and a login for each service; run once by the image, on an empty data folder.
set -eu
for service in accounts clients interventions billing equipment maintenance documents imports; do
    word=$(printenv "FICHE_$(echo "$service" | tr a-z A-Z)_PASSWORD")
    psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" -v login="fiche_$service" -v word="$word" <<'SQL'
CREATE ROLE :"login" LOGIN PASSWORD :'word';
CREATE DATABASE :"login" OWNER :"login" ENCODING 'UTF8' TEMPLATE template0 LOCALE 'C.UTF-8';
REVOKE CONNECT ON DATABASE :"login" FROM PUBLIC;
SQL
done
