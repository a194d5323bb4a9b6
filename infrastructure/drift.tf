# The permissions of the drift workflow's role: it reads the configuration of this
# deployment, but no data. The operator adds access to the state: see the runbook. A
# test compares the actions with the resource types in the plans.
locals {
  rest_api_arn = "arn:${local.partition}:apigateway:${var.region}::/restapis/${aws_api_gateway_rest_api.main.id}"

  drift_policy = {
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          Sid      = "Table"
          Effect   = "Allow"
          Action   = ["dynamodb:DescribeContinuousBackups", "dynamodb:DescribeTable", "dynamodb:DescribeTimeToLive", "dynamodb:ListTagsOfResource"]
          Resource = [module.storage.table_arn]
        },
        {
          Sid      = "Key"
          Effect   = "Allow"
          Action   = ["kms:DescribeKey", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:ListResourceTags"]
          Resource = [aws_kms_key.main.arn]
        },
        {
          Sid      = "Function"
          Effect   = "Allow"
          Action   = ["lambda:GetFunction", "lambda:GetFunctionCodeSigningConfig", "lambda:GetPolicy", "lambda:ListVersionsByFunction"]
          Resource = [aws_lambda_function.main.arn]
        },
        {
          Sid      = "Roles"
          Effect   = "Allow"
          Action   = ["iam:GetRole", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies"]
          Resource = concat([aws_iam_role.function.arn], aws_iam_role.api_gateway_logs[*].arn)
        },
        {
          Sid    = "Api"
          Effect = "Allow"
          Action = ["apigateway:GET"]
          Resource = concat(
            [local.rest_api_arn, "${local.rest_api_arn}/*"],
            var.manage_api_gateway_account ? ["arn:${local.partition}:apigateway:${var.region}::/account"] : [],
            local.own_domain ? [for path in ["", "/*"] : "arn:${local.partition}:apigateway:${var.region}::/domainnames/${var.custom_domain.name}${path}"] : [],
          )
        },
        {
          Sid      = "Alarms"
          Effect   = "Allow"
          Action   = ["cloudwatch:DescribeAlarms", "cloudwatch:ListTagsForResource"]
          Resource = [for name in local.alarm_names : "${local.alarm_arn_prefix}:${name}"]
        },
        {
          Sid      = "Dashboard"
          Effect   = "Allow"
          Action   = ["cloudwatch:GetDashboard"]
          Resource = [aws_cloudwatch_dashboard.main.dashboard_arn]
        },
        {
          Sid      = "LogGroups"
          Effect   = "Allow"
          Action   = ["logs:ListTagsForResource"]
          Resource = ["${local.logs_arn_prefix}:${local.access_log_group}", "${local.logs_arn_prefix}:${local.function_log_group}"]
        },
        {
          # These two list actions have no resource in IAM.
          Sid      = "Lists"
          Effect   = "Allow"
          Action   = ["kms:ListAliases", "logs:DescribeLogGroups"]
          Resource = ["*"]
        },
      ],
      local.own_topic ? [{
        Sid    = "Topic"
        Effect = "Allow"
        Action = concat(
          ["sns:GetTopicAttributes", "sns:ListTagsForResource"],
          var.alarm_email != "" ? ["sns:GetSubscriptionAttributes"] : [],
        )
        Resource = [local.alarm_topic_arn]
      }] : [],
      var.web_acl_arn != "" ? [{
        Sid      = "WebAcl"
        Effect   = "Allow"
        Action   = ["wafv2:GetWebACL", "wafv2:GetWebACLForResource"]
        Resource = [var.web_acl_arn, aws_api_gateway_stage.main.arn]
      }] : [],
    )
  }
}
