#!/usr/bin/env bash
# Runs every `sh` block of the runbook in one shell against a moto_server with a deployment, and leaves out `sh real`
# blocks. Fails if a command fails, if expected output is missing, or if a token is printed.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
need python3 zip go

bin=$("$repo/scripts/venv.sh" runbook)
go -C "$repo/examples" build -o "$tmp/bin/admin" ./admin
export PATH=$tmp/bin:$bin:$PATH

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
MOTO_CALL_RESET_API=false MOTO_IAM_LOAD_MANAGED_POLICIES=true moto_server -H 127.0.0.1 -p "$port" >"$tmp/moto.log" 2>&1 &
moto=$!
trap 'kill "$moto" 2>/dev/null; rm -rf "$tmp"' EXIT
for _ in $(seq 100); do
  if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then break; fi
  sleep 0.2
done

export AWS_ENDPOINT_URL=http://127.0.0.1:$port AWS_DEFAULT_REGION=eu-central-1 AWS_PAGER=''
export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_EC2_METADATA_DISABLED=true
export STAGE=dev NAME=device-tokens-dev

# deploy makes the resources that the runbook uses, without Terraform.
deploy() {
  local key role topic api root v1
  key=$(aws kms create-key --query KeyMetadata.KeyId --output text)
  aws kms enable-key-rotation --key-id "$key"
  aws kms create-alias --alias-name "alias/$NAME" --target-key-id "$key"
  aws dynamodb create-table --table-name "$NAME" --billing-mode PAY_PER_REQUEST \
    --attribute-definitions AttributeName=userId,AttributeType=S AttributeName=deviceId,AttributeType=S \
    --key-schema AttributeName=userId,KeyType=HASH AttributeName=deviceId,KeyType=RANGE \
    --sse-specification "Enabled=true,SSEType=KMS,KMSMasterKeyId=$key"
  aws dynamodb update-continuous-backups --table-name "$NAME" --point-in-time-recovery-specification PointInTimeRecoveryEnabled=true
  aws dynamodb put-item --table-name "$NAME" --item '{"userId": {"S": "user-1"}, "deviceId": {"S": "phone"},
    "platform": {"S": "ios"}, "isActive": {"BOOL": true}, "expoPushToken": {"S": "ExponentPushToken[never-shown]"}}'
  role=$(aws iam create-role --role-name "$NAME-function" --assume-role-policy-document '{"Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}' \
    --query Role.Arn --output text)
  aws iam attach-role-policy --role-name "$NAME-function" \
    --policy-arn arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs
  (cd "$tmp" && echo '#!/bin/sh' >bootstrap && zip -q function.zip bootstrap)
  aws lambda create-function --function-name "$NAME" --runtime provided.al2023 --handler bootstrap \
    --role "$role" --zip-file "fileb://$tmp/function.zip"
  for group in "/aws/lambda/$NAME" "/aws/apigateway/$NAME"; do
    aws logs create-log-group --log-group-name "$group"
    aws logs create-log-stream --log-group-name "$group" --log-stream-name s
    aws logs put-log-events --log-group-name "$group" --log-stream-name s \
      --log-events "timestamp=$(date +%s)000,message=ERROR"
  done
  topic=$(aws sns create-topic --name "$NAME-alarms" --query TopicArn --output text)
  aws sns subscribe --topic-arn "$topic" --protocol email --notification-endpoint team@example.com
  aws cloudwatch put-metric-alarm --alarm-name "$NAME-function-errors" --namespace AWS/Lambda --metric-name Errors \
    --statistic Sum --period 300 --evaluation-periods 1 --threshold 0 --comparison-operator GreaterThanThreshold
  aws cloudwatch set-alarm-state --alarm-name "$NAME-function-errors" --state-value ALARM --state-reason test
  api=$(aws apigateway create-rest-api --name "$NAME" --query id --output text)
  root=$(aws apigateway get-resources --rest-api-id "$api" --query 'items[0].id' --output text)
  v1=$(aws apigateway create-resource --rest-api-id "$api" --parent-id "$root" --path-part v1 --query id --output text)
  aws apigateway put-method --rest-api-id "$api" --resource-id "$v1" --http-method GET --authorization-type NONE
  aws apigateway put-integration --rest-api-id "$api" --resource-id "$v1" --http-method GET --type MOCK \
    --request-templates '{"application/json": "{\"statusCode\": 200}"}'
  aws apigateway create-deployment --rest-api-id "$api" --stage-name "$STAGE"
}
quietly deploy

# blocks prints the runbook's sh blocks, each after an echo of its line number.
blocks() {
  awk '/^```sh$/ { inside = 1; count++; printf "echo \"--- line %d\"\n", FNR; next }
       /^```/ { inside = 0 }
       inside { print }
       END { if (count < 10) { print "the runbook has too few blocks" >"/dev/stderr"; exit 1 } }' "$repo/docs/infra/device-tokens.md"
}
blocks >"$tmp/blocks.sh"
if ! bash -euo pipefail "$tmp/blocks.sh" >"$tmp/out" 2>&1; then
  cat "$tmp/out" >&2
  echo "FAIL  runbook: a command failed"
  exit 1
fi

failed=0
for shown in "$NAME-function-errors" team@example.com ERROR phone Enabled ENABLED "$NAME-restored" ACTIVE; do
  grep -qF -- "$shown" "$tmp/out" || { echo "FAIL  runbook: nothing printed $shown"; failed=1; }
done
if grep -q never-shown "$tmp/out"; then
  echo "FAIL  runbook: it prints a token"
  failed=1
fi
((failed)) && { cat "$tmp/out" >&2; exit 1; }
echo "ok    runbook: $(grep -c '^--- line' "$tmp/out") blocks"
