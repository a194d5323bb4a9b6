#!/usr/bin/env bash
# Fetches an engine of the tests, which a pom.xml names, into .cache, unless it is there (usage: engine.sh dynamodb-local|postgres).
set -euo pipefail
cd "$(dirname "$0")/.."

case "$1" in
  dynamodb-local) given=${DYNAMODB_ENDPOINT:-} pom=internal/dynamotest/pom.xml goal=copy-dependencies ;;
  postgres) given=${POSTGRES_URL:-} pom=internal/sqlengines/pom.xml goal=unpack-dependencies ;;
esac
dir=.cache/$1

# The copy of the pom identifies the version of the fetched files.
if [[ -n $given ]] || cmp -s "$pom" "$dir/pom.xml"; then
  exit 0
fi

# The folder gets its name when it is complete, so that an interrupted fetch leaves nothing.
mkdir -p .cache
new=$(mktemp -d "$dir.XXXXXX")
trap 'rm -rf "$new"' EXIT
echo "Fetching $1 into $dir"
mvn --quiet --batch-mode --file "$pom" "dependency:$goal" -DincludeScope=runtime \
  -DoutputDirectory="$PWD/$new" -DmarkersDirectory="$PWD/$new"
if [[ $1 == postgres ]]; then
  archives=("$new"/*.txz)
  [[ -e ${archives[0]} ]] || { echo "no PostgreSQL is known for $(uname -sm): set POSTGRES_URL" >&2; exit 1; }
  tar -xJf "${archives[0]}" -C "$new"
  rm "${archives[0]}"
fi
cp "$pom" "$new/pom.xml"
chmod 755 "$new"
rm -rf "$dir"
mv "$new" "$dir"
