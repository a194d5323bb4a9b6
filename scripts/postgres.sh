#!/usr/bin/env bash
# Fetches the PostgreSQL that internal/sqlengines/pom.xml names into .cache/postgres, unless it is there.
set -euo pipefail
cd "$(dirname "$0")/.."

pom=internal/sqlengines/pom.xml
dir=.cache/postgres

# The copy of the pom identifies the version of the fetched files.
if [[ -n "${POSTGRES_URL:-}" ]] || cmp -s "$pom" "$dir/pom.xml"; then
  exit 0
fi

# The folder gets its name when it is complete, so that an interrupted fetch leaves nothing.
mkdir -p .cache
new=$(mktemp -d .cache/postgres.XXXXXX)
trap 'rm -rf "$new"' EXIT
echo "Fetching PostgreSQL (15 MB) into $dir"
mvn --quiet --batch-mode --file "$pom" dependency:unpack-dependencies -DincludeScope=runtime \
  -DoutputDirectory="$PWD/$new" -DmarkersDirectory="$PWD/$new"
archives=("$new"/*.txz)
[[ -e ${archives[0]} ]] || { echo "no PostgreSQL is known for $(uname -sm): set POSTGRES_URL" >&2; exit 1; }
tar -xJf "${archives[0]}" -C "$new"
rm "${archives[0]}"
cp "$pom" "$new/pom.xml"
chmod 755 "$new"
rm -rf "$dir"
mv "$new" "$dir"
