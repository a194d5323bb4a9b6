#!/usr/bin/env bash
# Fetches the DynamoDB Local that internal/dynamotest/pom.xml names into .cache/dynamodb-local, unless it is there.
set -euo pipefail
cd "$(dirname "$0")/.."

pom=internal/dynamotest/pom.xml
dir=.cache/dynamodb-local

# The copy of the pom identifies the version of the fetched files.
if [[ -n "${DYNAMODB_ENDPOINT:-}" ]] || cmp -s "$pom" "$dir/pom.xml"; then
  exit 0
fi

# The folder gets its name when it is complete, so that an interrupted fetch leaves nothing.
mkdir -p .cache
new=$(mktemp -d .cache/dynamodb-local.XXXXXX)
trap 'rm -rf "$new"' EXIT
echo "Fetching DynamoDB Local (50 MB) into $dir"
mvn --quiet --batch-mode --file "$pom" dependency:copy-dependencies \
  -DincludeScope=runtime -DoutputDirectory="$PWD/$new"
cp "$pom" "$new/pom.xml"
chmod 755 "$new"
rm -rf "$dir"
mv "$new" "$dir"
