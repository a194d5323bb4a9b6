# The function's role, the key, and who may invoke and publish. Policies are parsed, not compared as text.

mock_provider "aws" {
  source = "./tests/mocks"
}

run "function" {
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
    error_message = "The role has five actions on one table, the key through DynamoDB, and the streams of one log group."
  }

  assert {
    condition     = [for action in output.table_actions : "dynamodb:${action}"] == jsondecode(aws_iam_role_policy.function.policy).Statement[0].Action
    error_message = "The output table_actions has the policy's actions."
  }

  assert {
    condition     = aws_iam_role_policy.function.role == aws_iam_role.function.name && aws_lambda_function.main.role == aws_iam_role.function.arn
    error_message = "The function has this role, and the role this policy."
  }

  assert {
    condition     = [for s in jsondecode(aws_iam_role.function.assume_role_policy).Statement : s.Principal] == [{ Service = "lambda.amazonaws.com" }]
    error_message = "Only Lambda assumes the role."
  }

  assert {
    condition = { for k, p in aws_lambda_permission.route : k => "${p.principal} ${p.action} ${p.function_name} ${p.source_arn}" } == {
      for method in ["DELETE", "GET", "POST"] :
      method => "apigateway.amazonaws.com lambda:InvokeFunction device-tokens-dev arn:aws:execute-api:eu-central-1:111122223333:a1b2c3d4e5/dev/${method}/v1/device-tokens"
    }
    error_message = "API Gateway invokes the function for three routes of this stage."
  }
}

run "key" {
  assert {
    condition     = [for s in jsondecode(aws_kms_key.main.policy).Statement : s.Sid] == ["Administration", "TableThroughDynamoDB", "LogGroups", "AlarmsToTopic"]
    error_message = "The key's policy has these statements."
  }

  assert {
    condition = alltrue([
      for s in jsondecode(aws_kms_key.main.policy).Statement :
      s.Effect == "Allow" && length([for a in s.Action : a if strcontains(a, "*")]) == 0 && !contains(values(s.Principal), "*")
    ])
    error_message = "The key's policy has no wildcard in actions and principals."
  }

  assert {
    condition     = length(setintersection(jsondecode(aws_kms_key.main.policy).Statement[0].Action, concat(jsondecode(aws_kms_key.main.policy).Statement[2].Action, ["kms:CreateGrant"]))) == 1
    error_message = "Administrators do not use the key: kms:DescribeKey is the only action that they share with the services."
  }

  assert {
    condition     = contains(jsondecode(aws_kms_key.main.policy).Statement[0].Action, "kms:PutKeyPolicy") && length(jsondecode(aws_kms_key.main.policy).Statement[0].Action) == 23
    error_message = "Administrators have 23 actions. They can change the policy: otherwise AWS rejects it, or it can never be changed."
  }

  assert {
    condition = jsondecode(aws_kms_key.main.policy).Statement[2].Action == [
      for action in ["Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "ReEncryptFrom", "ReEncryptTo"] : "kms:${action}"
    ]
    error_message = "The services encrypt and decrypt."
  }

  assert {
    condition = [for s in slice(jsondecode(aws_kms_key.main.policy).Statement, 1, 4) : jsonencode([values(s.Principal), s.Condition])] == [
      jsonencode([["arn:aws:iam::111122223333:root"], {
        StringEquals = { "kms:CallerAccount" = "111122223333", "kms:ViaService" = "dynamodb.eu-central-1.amazonaws.com" }
      }]),
      jsonencode([["logs.eu-central-1.amazonaws.com"], {
        ArnEquals = { "kms:EncryptionContext:aws:logs:arn" = [
          "arn:aws:logs:eu-central-1:111122223333:log-group:${aws_cloudwatch_log_group.access.name}",
          "arn:aws:logs:eu-central-1:111122223333:log-group:${aws_cloudwatch_log_group.function.name}",
        ] }
      }]),
      jsonencode([["cloudwatch.amazonaws.com"], { StringEquals = { "aws:SourceAccount" = "111122223333" } }]),
    ]
    error_message = "The account uses the key through DynamoDB only, the logs service for two log groups, and CloudWatch for alarms of this account."
  }

  assert {
    condition     = aws_kms_alias.main.name == "alias/device-tokens-dev" && aws_kms_alias.main.target_key_id == aws_kms_key.main.key_id
    error_message = "The alias is the key's."
  }

  assert {
    condition     = toset([aws_cloudwatch_log_group.access.kms_key_id, aws_cloudwatch_log_group.function.kms_key_id, aws_sns_topic.alarms[0].kms_master_key_id]) == toset([aws_kms_key.main.arn])
    error_message = "The key encrypts both log groups and the topic."
  }

  assert {
    condition = jsondecode(aws_sns_topic_policy.alarms[0].policy).Statement == [{
      Sid       = "AlarmsOfThisAccount"
      Effect    = "Allow"
      Principal = { Service = "cloudwatch.amazonaws.com" }
      Action    = "sns:Publish"
      Resource  = aws_sns_topic.alarms[0].arn
      Condition = { StringEquals = { "aws:SourceAccount" = "111122223333" } }
    }]
    error_message = "Only alarms of this account publish to the topic."
  }
}

run "key_with_an_existing_topic" {
  command = plan

  variables {
    alarm_topic_arn = "arn:aws:sns:eu-central-1:111122223333:company-alarms"
  }

  assert {
    condition     = [for s in jsondecode(aws_kms_key.main.policy).Statement : s.Sid] == ["Administration", "TableThroughDynamoDB", "LogGroups"]
    error_message = "CloudWatch does not use the key if the topic is not the deployment's."
  }
}

run "no_account_setting_by_default" {
  command = plan

  assert {
    condition     = length(aws_api_gateway_account.region) == 0 && length(aws_iam_role.api_gateway_logs) == 0
    error_message = "The region's role for access logs is not changed by default."
  }
}

run "everything" {
  variables {
    manage_api_gateway_account = true
    web_acl_arn                = "arn:aws:wafv2:eu-central-1:111122223333:regional/webacl/push/0a1b2c3d-1111-2222-3333-444455556666"

    custom_domain = {
      name            = "push.example.com"
      certificate_arn = "arn:aws:acm:eu-central-1:111122223333:certificate/0a1b2c3d-1111-2222-3333-444455556666"
    }
  }

  assert {
    condition     = aws_api_gateway_account.region[0].cloudwatch_role_arn == aws_iam_role.api_gateway_logs[0].arn
    error_message = "The region's role for access logs is the one made for it."
  }

  assert {
    condition     = [for s in jsondecode(aws_iam_role.api_gateway_logs[0].assume_role_policy).Statement : s.Principal] == [{ Service = "apigateway.amazonaws.com" }]
    error_message = "Only API Gateway assumes the role."
  }

  assert {
    condition     = aws_iam_role_policy_attachment.api_gateway_logs[0].role == aws_iam_role.api_gateway_logs[0].name && aws_iam_role_policy_attachment.api_gateway_logs[0].policy_arn == "arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"
    error_message = "The role may write API Gateway's logs."
  }

  assert {
    condition = alltrue(flatten([
      for s in jsondecode(output.drift_policy).Statement : [for action in s.Action : can(regex("^[a-z0-9]+:(Describe|Get|List|GET)", action))]
    ]))
    error_message = "The drift workflow's role changes nothing."
  }

  assert {
    condition = length(setintersection(flatten([for s in jsondecode(output.drift_policy).Statement : s.Action]), [
      "dynamodb:GetItem", "dynamodb:GetRecords", "logs:GetLogEvents", "lambda:ListFunctions", "s3:GetObject",
    ])) == 0
    error_message = "The drift workflow's role reads no data."
  }

  assert {
    condition     = [for s in jsondecode(output.drift_policy).Statement : s.Action if contains(s.Resource, "*")] == [["kms:ListAliases", "logs:DescribeLogGroups"]]
    error_message = "Each statement names this deployment's resources, except for two lists that IAM does not restrict."
  }
}
