# Who may do what: the function's role, the key, and who may invoke and publish.
# Policies are parsed, not matched as text.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  stage       = "dev"
  region      = "eu-central-1"
  owner       = "mobile"
  cost_center = "cc-1"

  authorizer = {
    type           = "cognito"
    user_pool_arns = ["arn:aws:cognito-idp:eu-central-1:111122223333:userpool/eu-central-1_EXAMPLE"]
  }
}
run "function_role" {
  assert {
    condition = { for s in jsondecode(aws_iam_role_policy.function.policy).Statement : s.Sid => jsonencode(s) } == {
      Table = jsonencode({
        Sid      = "Table"
        Effect   = "Allow"
        Action   = ["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"]
        Resource = output.table_arn
      })
      TableKey = jsonencode({
        Sid       = "TableKey"
        Effect    = "Allow"
        Action    = ["kms:Decrypt", "kms:DescribeKey"]
        Resource  = aws_kms_key.main.arn
        Condition = { StringEquals = { "kms:ViaService" = "dynamodb.eu-central-1.amazonaws.com" } }
      })
      Logs = jsonencode({
        Sid      = "Logs"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = "arn:aws:logs:eu-central-1:111122223333:log-group:/aws/lambda/device-tokens-dev:log-stream:*"
      })
    }
    error_message = "The role has the five actions on one table, the key through DynamoDB, the streams of one log group, and nothing else."
  }

  assert {
    condition     = [for action in output.table_actions : "dynamodb:${action}"] == jsondecode(aws_iam_role_policy.function.policy).Statement[0].Action
    error_message = "The output is the policy's."
  }

  assert {
    condition     = aws_iam_role_policy.function.role == aws_iam_role.function.name && aws_lambda_function.main.role == aws_iam_role.function.arn
    error_message = "The function has this role, and the role this policy."
  }

  assert {
    condition     = [for s in jsondecode(aws_iam_role.function.assume_role_policy).Statement : s.Principal] == [{ Service = "lambda.amazonaws.com" }]
    error_message = "Lambda alone takes on the role."
  }
}

run "key_policy" {
  assert {
    condition     = [for s in jsondecode(aws_kms_key.main.policy).Statement : s.Sid] == ["Administration", "TableThroughDynamoDB", "LogGroups", "AlarmsToTopic"]
    error_message = "The key has these statements."
  }

  assert {
    condition     = alltrue([for s in jsondecode(aws_kms_key.main.policy).Statement : s.Effect == "Allow" && length([for a in s.Action : a if strcontains(a, "*")]) == 0])
    error_message = "The key's policy allows no wildcard of actions."
  }

  assert {
    condition     = alltrue([for s in jsondecode(aws_kms_key.main.policy).Statement : !contains(values(s.Principal), "*")])
    error_message = "The key's policy has no principal that stands for everyone."
  }

  assert {
    condition     = length(setintersection(jsondecode(aws_kms_key.main.policy).Statement[0].Action, ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:CreateGrant"])) == 0
    error_message = "Administrators do not use the key."
  }

  assert {
    condition     = contains(jsondecode(aws_kms_key.main.policy).Statement[0].Action, "kms:PutKeyPolicy")
    error_message = "Administrators can change the policy: otherwise AWS refuses it, or it can never be changed."
  }

  assert {
    condition = jsondecode(aws_kms_key.main.policy).Statement[1].Condition == {
      StringEquals = { "kms:CallerAccount" = "111122223333", "kms:ViaService" = "dynamodb.eu-central-1.amazonaws.com" }
    }
    error_message = "The account uses the key through DynamoDB only."
  }

  assert {
    condition = (
      jsondecode(aws_kms_key.main.policy).Statement[2].Principal == { Service = "logs.eu-central-1.amazonaws.com" } &&
      jsondecode(aws_kms_key.main.policy).Statement[2].Condition.ArnEquals["kms:EncryptionContext:aws:logs:arn"] == [
        "arn:aws:logs:eu-central-1:111122223333:log-group:${aws_cloudwatch_log_group.access.name}",
        "arn:aws:logs:eu-central-1:111122223333:log-group:${aws_cloudwatch_log_group.function.name}",
    ])
    error_message = "The logs service uses the key for the two log groups only."
  }

  assert {
    condition = (
      jsondecode(aws_kms_key.main.policy).Statement[3].Principal == { Service = "cloudwatch.amazonaws.com" } &&
      jsondecode(aws_kms_key.main.policy).Statement[3].Condition == { StringEquals = { "aws:SourceAccount" = "111122223333" } }
    )
    error_message = "CloudWatch's alarms of this account use the key, to reach the topic."
  }

  assert {
    condition     = aws_kms_key.main.enable_key_rotation && aws_kms_key.main.deletion_window_in_days == 7
    error_message = "The key rotates, and in dev is gone a week after its deletion."
  }

  assert {
    condition     = aws_kms_alias.main.name == "alias/device-tokens-dev" && aws_kms_alias.main.target_key_id == aws_kms_key.main.key_id
    error_message = "The alias is the key's."
  }
}

run "key_policy_without_a_topic_of_our_own" {
  command = plan

  variables {
    alarm_topic_arn = "arn:aws:sns:eu-central-1:111122223333:company-alarms"
  }

  assert {
    condition     = [for s in jsondecode(aws_kms_key.main.policy).Statement : s.Sid] == ["Administration", "TableThroughDynamoDB", "LogGroups"]
    error_message = "Without a topic of its own, the deployment's key is none of CloudWatch's business."
  }
}

run "what_the_key_encrypts" {
  assert {
    condition     = aws_cloudwatch_log_group.access.kms_key_id == aws_kms_key.main.arn && aws_cloudwatch_log_group.function.kms_key_id == aws_kms_key.main.arn
    error_message = "Both log groups are encrypted with the key."
  }

  assert {
    condition     = aws_sns_topic.alarms[0].kms_master_key_id == aws_kms_key.main.arn
    error_message = "The topic is encrypted with the key."
  }
}

run "topic_policy" {
  assert {
    condition = jsondecode(aws_sns_topic_policy.alarms[0].policy).Statement == [{
      Sid       = "AlarmsOfThisAccount"
      Effect    = "Allow"
      Principal = { Service = "cloudwatch.amazonaws.com" }
      Action    = "sns:Publish"
      Resource  = aws_sns_topic.alarms[0].arn
      Condition = { StringEquals = { "aws:SourceAccount" = "111122223333" } }
    }]
    error_message = "CloudWatch's alarms of this account publish to the topic, and nothing else does."
  }
}

run "who_invokes_the_function" {
  assert {
    condition = { for k, p in aws_lambda_permission.route : k => "${p.principal} ${p.action} ${p.source_arn}" } == {
      for method in ["DELETE", "GET", "POST"] :
      method => "apigateway.amazonaws.com lambda:InvokeFunction arn:aws:execute-api:eu-central-1:111122223333:a1b2c3d4e5/dev/${method}/v1/device-tokens"
    }
    error_message = "API Gateway invokes the function for these three routes of this stage of this API."
  }

  assert {
    condition     = alltrue([for p in aws_lambda_permission.route : p.function_name == aws_lambda_function.main.function_name])
    error_message = "The permissions are this function's."
  }
}

run "no_account_setting_unless_asked_for" {
  command = plan

  assert {
    condition     = length(aws_api_gateway_account.region) == 0 && length(aws_iam_role.api_gateway_logs) == 0
    error_message = "The region's setting is left alone by default."
  }
}

run "account_setting" {
  variables {
    manage_api_gateway_account = true
  }

  assert {
    condition     = aws_api_gateway_account.region[0].cloudwatch_role_arn == aws_iam_role.api_gateway_logs[0].arn
    error_message = "The region's setting is the role made for it."
  }

  assert {
    condition     = [for s in jsondecode(aws_iam_role.api_gateway_logs[0].assume_role_policy).Statement : s.Principal] == [{ Service = "apigateway.amazonaws.com" }]
    error_message = "API Gateway alone takes on the role."
  }

  assert {
    condition     = aws_iam_role_policy_attachment.api_gateway_logs[0].role == aws_iam_role.api_gateway_logs[0].name && aws_iam_role_policy_attachment.api_gateway_logs[0].policy_arn == "arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"
    error_message = "The role may write API Gateway's logs."
  }
}

run "drift_policy" {
  variables {
    manage_api_gateway_account = true
    web_acl_arn                = "arn:aws:wafv2:eu-central-1:111122223333:regional/webacl/push/0a1b2c3d-1111-2222-3333-444455556666"

    custom_domain = {
      name            = "push.example.com"
      certificate_arn = "arn:aws:acm:eu-central-1:111122223333:certificate/0a1b2c3d-1111-2222-3333-444455556666"
    }
  }

  assert {
    condition = alltrue(flatten([
      for s in jsondecode(output.drift_policy).Statement : [for action in s.Action : can(regex("^[a-z0-9]+:(Describe|Get|List|GET)", action))]
    ]))
    error_message = "The role of the drift workflow changes nothing."
  }

  assert {
    condition = length(setintersection(flatten([for s in jsondecode(output.drift_policy).Statement : s.Action]), [
      "dynamodb:GetItem", "dynamodb:GetRecords", "logs:GetLogEvents", "lambda:ListFunctions", "s3:GetObject",
    ])) == 0
    error_message = "The role of the drift workflow reads no data."
  }

  assert {
    condition     = [for s in jsondecode(output.drift_policy).Statement : s.Action if contains(s.Resource, "*")] == [["kms:ListAliases", "logs:DescribeLogGroups"]]
    error_message = "Each statement names this deployment's resources, but for two lists that AWS does not divide."
  }
}
