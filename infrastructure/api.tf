locals {
  api_path = "/v1/device-tokens"
  methods  = ["DELETE", "GET", "POST"]

  throttle_burst           = 100
  throttle_rate_per_second = 50

  own_domain       = var.custom_domain != null
  default_endpoint = local.own_domain ? var.custom_domain.keep_default_endpoint : true

  cognito       = var.authorizer.type == "cognito"
  authorization = local.cognito ? "COGNITO_USER_POOLS" : "NONE"
}

resource "aws_api_gateway_rest_api" "main" {
  name        = local.name
  description = "Device tokens (${var.stage})"

  disable_execute_api_endpoint = !local.default_endpoint

  endpoint_configuration {
    types = ["REGIONAL"]
  }

  tags = local.tags

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_api_gateway_resource" "v1" {
  rest_api_id = aws_api_gateway_rest_api.main.id
  parent_id   = aws_api_gateway_rest_api.main.root_resource_id
  path_part   = "v1"
}

resource "aws_api_gateway_resource" "device_tokens" {
  rest_api_id = aws_api_gateway_rest_api.main.id
  parent_id   = aws_api_gateway_resource.v1.id
  path_part   = "device-tokens"
}

resource "aws_api_gateway_authorizer" "cognito" {
  count = local.cognito ? 1 : 0

  name            = local.name
  rest_api_id     = aws_api_gateway_rest_api.main.id
  type            = "COGNITO_USER_POOLS"
  provider_arns   = var.authorizer.user_pool_arns
  identity_source = "method.request.header.Authorization"
}

# With an oidc authorizer the gateway passes every request to the function, which
# responds 401 to an invalid bearer token. It has no anonymous setting.
resource "aws_api_gateway_method" "route" {
  # checkov:skip=CKV_AWS_59:With an oidc authorizer the function verifies the token; there is no open setting
  # checkov:skip=CKV2_AWS_53:The function validates, and says what is wrong in a problem document

  for_each = toset(local.methods)

  rest_api_id          = aws_api_gateway_rest_api.main.id
  resource_id          = aws_api_gateway_resource.device_tokens.id
  http_method          = each.key
  authorization        = local.authorization
  authorizer_id        = one(aws_api_gateway_authorizer.cognito[*].id)
  authorization_scopes = length(var.authorizer.scopes) > 0 ? var.authorizer.scopes : null
}

resource "aws_api_gateway_integration" "route" {
  for_each = aws_api_gateway_method.route

  rest_api_id             = each.value.rest_api_id
  resource_id             = each.value.resource_id
  http_method             = each.value.http_method
  type                    = "AWS_PROXY"
  integration_http_method = "POST" # Lambda is invoked by POST for every method
  uri                     = aws_lambda_function.main.invoke_arn
}

resource "aws_lambda_permission" "route" {
  for_each = toset(local.methods)

  statement_id  = "ApiGateway-${each.key}"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.main.function_name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_api_gateway_rest_api.main.execution_arn}/${var.stage}/${each.key}${local.api_path}"
}

resource "aws_api_gateway_deployment" "main" {
  rest_api_id = aws_api_gateway_rest_api.main.id

  # A deployment is a snapshot: a changed route needs a new one. The digest has selected
  # attributes, because AWS sets some attributes later, which would cause a deployment
  # without a change.
  triggers = {
    routes = sha256(jsonencode({
      authorizers = [for a in aws_api_gateway_authorizer.cognito : {
        type            = a.type
        provider_arns   = a.provider_arns
        identity_source = a.identity_source
      }]
      methods = { for k, m in aws_api_gateway_method.route : k => {
        resource_id          = m.resource_id
        authorization        = m.authorization
        authorizer_id        = m.authorizer_id
        authorization_scopes = m.authorization_scopes
      } }
      integrations = { for k, i in aws_api_gateway_integration.route : k => {
        type                    = i.type
        integration_http_method = i.integration_http_method
        uri                     = i.uri
      } }
      responses = local.gateway_responses
      # Takes effect only with the next deployment.
      default_endpoint = local.default_endpoint
      paths            = [aws_api_gateway_resource.v1.path_part, aws_api_gateway_resource.device_tokens.path_part]
    }))
  }

  depends_on = [
    aws_api_gateway_gateway_response.problem,
    aws_api_gateway_integration.route,
    aws_api_gateway_method.route,
  ]

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_cloudwatch_log_group" "access" {
  # checkov:skip=CKV_AWS_338:Operational logs: older ones than 90 days are not read

  name              = local.access_log_group
  retention_in_days = local.log_retention_days
  kms_key_id        = aws_kms_key.main.arn
  tags              = local.tags
}

resource "aws_api_gateway_stage" "main" {
  # checkov:skip=CKV_AWS_73:X-Ray grants need a wildcard resource; the access log and the metrics have the latencies
  # checkov:skip=CKV_AWS_120:Every answer is one user's, and no-store
  # checkov:skip=CKV2_AWS_4:Execution logs hold bodies, and so push tokens; the access log does not
  # checkov:skip=CKV2_AWS_29:A web ACL is the account's to share among its APIs; web_acl_arn names one
  # checkov:skip=CKV2_AWS_77:The rules of the web ACL are set where it is made, which is not here
  # checkov:skip=CKV2_AWS_51:The integration is Lambda, which is invoked under IAM and not over TLS with a client certificate

  rest_api_id           = aws_api_gateway_rest_api.main.id
  deployment_id         = aws_api_gateway_deployment.main.id
  stage_name            = var.stage
  description           = "Device tokens (${var.stage})"
  cache_cluster_enabled = false
  xray_tracing_enabled  = false # X-Ray: see CKV_AWS_73 above. tfsec:ignore:aws-api-gateway-enable-tracing

  # An access log line has no user, no address and no query, because the query of a DELETE
  # has the device id.
  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.access.arn
    format          = jsonencode(local.monitoring.accessLog)
  }

  tags = local.tags

  # AWS rejects a stage with access logs while the region has no role for them.
  depends_on = [aws_api_gateway_account.region]
}

# One setting for all methods. Execution logs stay off, because they contain bodies and
# so push tokens.
resource "aws_api_gateway_method_settings" "all" {
  # checkov:skip=CKV_AWS_225:Every answer is one user's, and no-store

  rest_api_id = aws_api_gateway_rest_api.main.id
  stage_name  = aws_api_gateway_stage.main.stage_name
  method_path = "*/*"

  settings {
    throttling_burst_limit = local.throttle_burst
    throttling_rate_limit  = local.throttle_rate_per_second
    metrics_enabled        = false
    logging_level          = "OFF"
    data_trace_enabled     = false
    caching_enabled        = false
  }
}

# All APIs in an account and region share the role with which API Gateway writes access
# logs. Destroying this deployment disables the access logs of all other APIs there:
# provider 5 keeps the setting with a deleted role, and provider 6 empties it. See the
# runbook.

resource "aws_iam_role" "api_gateway_logs" {
  count = var.manage_api_gateway_account ? 1 : 0

  name        = "${local.name}-api-gateway-logs"
  description = "Access logs of API Gateway in ${var.region}"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "apigateway.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })

  tags = local.tags
}

# API Gateway tests the role and rejects one without all permissions of this AWS
# policy.
resource "aws_iam_role_policy_attachment" "api_gateway_logs" {
  count = var.manage_api_gateway_account ? 1 : 0

  role       = aws_iam_role.api_gateway_logs[0].name
  policy_arn = "arn:${local.partition}:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"
}

resource "aws_api_gateway_account" "region" {
  count = var.manage_api_gateway_account ? 1 : 0

  cloudwatch_role_arn = aws_iam_role.api_gateway_logs[0].arn

  depends_on = [aws_iam_role_policy_attachment.api_gateway_logs]
}

# A custom domain for the API. AWS's default endpoint accepts TLS 1.0; only the security
# policy of a domain can reject it. With a domain, the default endpoint is therefore
# disabled unless keep_default_endpoint is true.

resource "aws_api_gateway_domain_name" "main" {
  count = local.own_domain ? 1 : 0

  domain_name              = var.custom_domain.name
  regional_certificate_arn = var.custom_domain.certificate_arn
  security_policy          = "TLS_1_2"

  endpoint_configuration {
    types = ["REGIONAL"]
  }

  tags = local.tags
}

resource "aws_api_gateway_base_path_mapping" "main" {
  count = local.own_domain ? 1 : 0

  domain_name = aws_api_gateway_domain_name.main[0].domain_name
  api_id      = aws_api_gateway_rest_api.main.id
  stage_name  = aws_api_gateway_stage.main.stage_name
  base_path   = var.base_path == "" ? null : trimprefix(var.base_path, "/")
}

# Stages of a REST API can have a web ACL. Those of an HTTP API cannot.
resource "aws_wafv2_web_acl_association" "stage" {
  count = var.web_acl_arn != "" ? 1 : 0

  resource_arn = aws_api_gateway_stage.main.arn
  web_acl_arn  = var.web_acl_arn
}
