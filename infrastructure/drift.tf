# The permissions of the drift workflow's role: it reads the configuration of this
# deployment, but no data. The operator adds access to the state: see the runbook. A
# test compares the actions with the resource types in the plans.
locals {
  rest_api_arn = "arn:${local.partition}:apigateway:${var.region}::/restapis/${aws_api_gateway_rest_api.main.id}"

  drift_permissions = {
    Table = {
      actions   = ["dynamodb:DescribeContinuousBackups", "dynamodb:DescribeTable", "dynamodb:DescribeTimeToLive", "dynamodb:ListTagsOfResource"]
      resources = [module.storage.table_arn]
    }
    Key = {
      actions   = ["kms:DescribeKey", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:ListResourceTags"]
      resources = [aws_kms_key.main.arn]
    }
    Function = {
      actions   = ["lambda:GetFunction", "lambda:GetFunctionCodeSigningConfig", "lambda:GetPolicy", "lambda:ListVersionsByFunction"]
      resources = [aws_lambda_function.main.arn]
    }
    Roles = {
      actions   = ["iam:GetRole", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies"]
      resources = concat([aws_iam_role.function.arn], aws_iam_role.api_gateway_logs[*].arn)
    }
    Api = {
      actions = ["apigateway:GET"]
      resources = concat(
        [local.rest_api_arn, "${local.rest_api_arn}/*"],
        var.manage_api_gateway_account ? ["arn:${local.partition}:apigateway:${var.region}::/account"] : [],
        local.own_domain ? [for path in ["", "/*"] : "arn:${local.partition}:apigateway:${var.region}::/domainnames/${var.custom_domain.name}${path}"] : [],
      )
    }
    Alarms = {
      actions   = ["cloudwatch:DescribeAlarms", "cloudwatch:ListTagsForResource"]
      resources = [for name in local.alarm_names : "${local.alarm_arn_prefix}:${name}"]
    }
    Dashboard = {
      actions   = ["cloudwatch:GetDashboard"]
      resources = [aws_cloudwatch_dashboard.main.dashboard_arn]
    }
    LogGroups = {
      actions   = ["logs:ListTagsForResource"]
      resources = ["${local.logs_arn_prefix}:${local.access_log_group}", "${local.logs_arn_prefix}:${local.function_log_group}"]
    }
    # These two list actions have no resource in IAM.
    Lists = {
      actions   = ["kms:ListAliases", "logs:DescribeLogGroups"]
      resources = ["*"]
    }
    Topic = {
      actions   = concat(["sns:GetTopicAttributes", "sns:ListTagsForResource"], var.alarm_email != "" ? ["sns:GetSubscriptionAttributes"] : [])
      resources = aws_sns_topic.alarms[*].arn
    }
    WebAcl = {
      actions   = ["wafv2:GetWebACL", "wafv2:GetWebACLForResource"]
      resources = var.web_acl_arn != "" ? [var.web_acl_arn, aws_api_gateway_stage.main.arn] : []
    }
  }

  drift_policy = {
    Version = "2012-10-17"
    Statement = [
      for sid, allowed in local.drift_permissions : { Sid = sid, Effect = "Allow", Action = allowed.actions, Resource = allowed.resources }
      if length(allowed.resources) > 0
    ]
  }
}
