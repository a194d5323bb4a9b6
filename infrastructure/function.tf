locals {
  # The variables that examples/lambda reads. It does not start without the required
  # ones.
  function_environment = merge(
    {
      DEVICE_TOKEN_TABLE_NAME  = module.storage.table_name
      DEVICE_TOKEN_STAGE       = var.stage
      DEVICE_TOKEN_TTL         = "${coalesce(var.token_ttl_days, local.limits.tokenTtlDays.default) * 24}h"
      DEVICE_TOKEN_MAX_DEVICES = tostring(coalesce(var.max_devices, local.limits.maxDevices.default))
      DEVICE_TOKEN_LOG_LEVEL   = var.log_level
      DEVICE_TOKEN_AUTH        = var.authorizer.type == "cognito" ? "claims" : "oidc"
    },
    var.authorizer.type == "oidc" ? {
      DEVICE_TOKEN_OIDC_ISSUER   = var.authorizer.issuer
      DEVICE_TOKEN_OIDC_AUDIENCE = var.authorizer.audience
      DEVICE_TOKEN_OIDC_TOKEN    = var.authorizer.token
    } : {},
    { for name, value in local.optional_environment : name => value if value != "" },
  )
  optional_environment = {
    DEVICE_TOKEN_BASE_PATH            = var.base_path
    DEVICE_TOKEN_OIDC_OTHER_AUDIENCES = join(" ", var.authorizer.other_audiences)
    DEVICE_TOKEN_OIDC_AUDIENCE_CLAIM  = var.authorizer.audience_claim
    DEVICE_TOKEN_OIDC_ALGORITHMS      = join(" ", var.authorizer.algorithms)
    DEVICE_TOKEN_OIDC_DISCOVERY_URL   = var.authorizer.discovery_url
    DEVICE_TOKEN_OIDC_METADATA_ISSUER = var.authorizer.metadata_issuer
    DEVICE_TOKEN_OIDC_KEYS_URL        = var.authorizer.keys_url
  }

  # The actions that dynamostore needs. A transaction needs the permissions of its
  # actions. Only an operator may create, upgrade and scan the table.
  table_actions = [
    "dynamodb:DeleteItem",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:Query",
    "dynamodb:UpdateItem",
  ]

  function_policy = {
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Table"
        Effect   = "Allow"
        Action   = local.table_actions
        Resource = module.storage.table_arn
      },
      {
        # DynamoDB uses the table's key on behalf of its caller.
        Sid      = "TableKey"
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:DescribeKey"]
        Resource = aws_kms_key.main.arn
        Condition = {
          StringEquals = { "kms:ViaService" = "dynamodb.${var.region}.amazonaws.com" }
        }
      },
      {
        # Lambda names the log stream when it starts an environment, so the streams
        # cannot be listed here. The function may not create the group.
        Sid      = "Logs"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = "${local.logs_arn_prefix}:${local.function_log_group}:log-stream:*"
      },
    ]
  }
}

resource "aws_iam_role" "function" {
  name        = "${local.name}-function"
  description = "The device-token function (${var.stage})"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })

  tags = local.tags
}

resource "aws_iam_role_policy" "function" {
  name   = "table-and-logs"
  role   = aws_iam_role.function.name
  policy = jsonencode(local.function_policy)
}

resource "aws_cloudwatch_log_group" "function" {
  # checkov:skip=CKV_AWS_338:Operational logs: older ones than 90 days are not read

  name              = local.function_log_group
  retention_in_days = local.log_retention_days
  kms_key_id        = aws_kms_key.main.arn
  tags              = local.tags
}

resource "aws_lambda_function" "main" {
  # checkov:skip=CKV_AWS_115:The account's common pool by default; reserved_concurrency sets a share
  # checkov:skip=CKV_AWS_116:API Gateway invokes it synchronously: nothing ever goes to a dead-letter queue
  # checkov:skip=CKV_AWS_117:It talks to DynamoDB and, with oidc, to the issuer: a VPC would add a NAT gateway and protect nothing
  # checkov:skip=CKV_AWS_173:The environment holds names and limits, no secret; Lambda encrypts it with its own key
  # checkov:skip=CKV_AWS_272:Signing profiles are an account's; the build is reproducible, so that its hash can be compared

  function_name = local.name
  description   = "HTTP API of the device-token registry (${var.stage})"
  role          = aws_iam_role.function.arn

  filename = var.package_path
  # A plan works before the package is built. An apply fails without the file.
  source_code_hash = fileexists(var.package_path) ? filebase64sha256(var.package_path) : null

  package_type  = "Zip"
  runtime       = "provided.al2023"
  handler       = "bootstrap"
  architectures = ["arm64"]
  memory_size   = 128
  timeout       = 10 # seconds; monitoring.json has 80 % of it

  reserved_concurrent_executions = var.reserved_concurrency

  environment {
    variables = local.function_environment
  }

  tracing_config {
    # X-Ray grants need a wildcard resource; the logs and the metrics have the latencies.
    mode = "PassThrough" # tfsec:ignore:aws-lambda-enable-tracing
  }

  tags = local.tags

  # Without these dependencies, Lambda would create the log group without key and
  # retention, and the first requests would be denied.
  depends_on = [aws_cloudwatch_log_group.function, aws_iam_role_policy.function]
}
