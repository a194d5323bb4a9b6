#!/usr/bin/env bash
# Fetches the DynamoDB Local that internal/dynamotest/pom.xml names into .cache/dynamodb-local, unless it is there.
set -euo pipefail
cd "$(dirname "$0")/.."

pom=internal/dynamotest/pom.xml
dir=.cache/dynamodb-local

# The copy of the pom is what says that the fetched files are those of the version that is wanted now.
if [[ -n "${DYNAMODB_ENDPOINT:-}" ]] || cmp -s "$pom" "$dir/pom.xml"; then
  exit 0
fi

# The folder appears under its name only when it is complete, so that an interrupted fetch leaves nothing half done.
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
