# What differs by stage, what is the same in each, and the tags of everything.
# The table by stage is the storage module's tests'.

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
run "dev" {
  variables {
    stage       = "dev"
    alarm_email = "team@example.com"
  }

  assert {
    condition     = aws_cloudwatch_log_group.function.retention_in_days == 14 && aws_cloudwatch_log_group.access.retention_in_days == 14
    error_message = "Logs are kept for 14 days in dev."
  }

  assert {
    condition     = aws_kms_key.main.deletion_window_in_days == 7 && aws_kms_key.main.enable_key_rotation
    error_message = "A deleted key waits 7 days in dev, and rotates until then."
  }

  assert {
    condition     = aws_api_gateway_stage.main.stage_name == "dev" && output.table_name == "device-tokens-dev" && aws_lambda_function.main.function_name == "device-tokens-dev" && aws_api_gateway_rest_api.main.name == "device-tokens-dev"
    error_message = "The names have the stage in them."
  }

  assert {
    condition     = aws_cloudwatch_log_group.function.name == "/aws/lambda/device-tokens-dev" && aws_cloudwatch_log_group.access.name == "/aws/apigateway/device-tokens-dev"
    error_message = "The function's log group is the one that Lambda writes to."
  }

  assert {
    condition = (
      aws_lambda_function.main.architectures == tolist(["arm64"]) && aws_lambda_function.main.memory_size == 128 && aws_lambda_function.main.timeout == 10 &&
      aws_lambda_function.main.runtime == "provided.al2023" && aws_lambda_function.main.handler == "bootstrap" && aws_lambda_function.main.package_type == "Zip"
    )
    error_message = "The function is an arm64 bootstrap with 128 MB and 10 seconds."
  }

  assert {
    condition = aws_lambda_function.main.environment[0].variables == tomap({
      DEVICE_TOKEN_TABLE_NAME  = "device-tokens-dev"
      DEVICE_TOKEN_STAGE       = "dev"
      DEVICE_TOKEN_TTL         = "2160h"
      DEVICE_TOKEN_MAX_DEVICES = "20"
      DEVICE_TOKEN_LOG_LEVEL   = "info"
      DEVICE_TOKEN_AUTH        = "claims"
    })
    error_message = "The function is told its table, policy and way to authenticate."
  }

  # The storage module's own resources carry the tags it is given: its tests.
  assert {
    condition = alltrue([
      for tags in concat(
        [for a in aws_cloudwatch_metric_alarm.service : a.tags],
        [
          aws_api_gateway_rest_api.main.tags,
          aws_api_gateway_stage.main.tags,
          aws_cloudwatch_log_group.access.tags,
          aws_cloudwatch_log_group.function.tags,
          aws_iam_role.function.tags,
          aws_kms_key.main.tags,
          aws_lambda_function.main.tags,
          aws_sns_topic.alarms[0].tags,
        ],
      ) : tags == tomap({ Project = "device-tokens", Env = "dev", Owner = "mobile", CostCenter = "cc-1" })
    ])
    error_message = "Everything that can carry tags carries the four."
  }
}

run "stage" {
  variables {
    stage       = "stage"
    alarm_email = "team@example.com"
  }

  assert {
    condition     = aws_cloudwatch_log_group.function.retention_in_days == 30 && aws_cloudwatch_log_group.access.retention_in_days == 30
    error_message = "Logs are kept for 30 days in stage."
  }

  assert {
    condition     = aws_kms_key.main.deletion_window_in_days == 30 && aws_kms_key.main.enable_key_rotation
    error_message = "A deleted key waits 30 days in stage, and rotates until then."
  }

  assert {
    condition     = aws_api_gateway_stage.main.stage_name == "stage" && output.table_name == "device-tokens-stage" && aws_lambda_function.main.function_name == "device-tokens-stage" && aws_api_gateway_rest_api.main.name == "device-tokens-stage"
    error_message = "The names have the stage in them."
  }

  assert {
    condition     = aws_cloudwatch_log_group.function.name == "/aws/lambda/device-tokens-stage" && aws_cloudwatch_log_group.access.name == "/aws/apigateway/device-tokens-stage"
    error_message = "The function's log group is the one that Lambda writes to."
  }

  assert {
    condition = (
      aws_lambda_function.main.architectures == tolist(["arm64"]) && aws_lambda_function.main.memory_size == 128 && aws_lambda_function.main.timeout == 10 &&
      aws_lambda_function.main.runtime == "provided.al2023" && aws_lambda_function.main.handler == "bootstrap" && aws_lambda_function.main.package_type == "Zip"
    )
    error_message = "The function is an arm64 bootstrap with 128 MB and 10 seconds."
  }

  assert {
    condition = aws_lambda_function.main.environment[0].variables == tomap({
      DEVICE_TOKEN_TABLE_NAME  = "device-tokens-stage"
      DEVICE_TOKEN_STAGE       = "stage"
      DEVICE_TOKEN_TTL         = "2160h"
      DEVICE_TOKEN_MAX_DEVICES = "20"
      DEVICE_TOKEN_LOG_LEVEL   = "info"
      DEVICE_TOKEN_AUTH        = "claims"
    })
    error_message = "The function is told its table, policy and way to authenticate."
  }

  # The storage module's own resources carry the tags it is given: its tests.
  assert {
    condition = alltrue([
      for tags in concat(
        [for a in aws_cloudwatch_metric_alarm.service : a.tags],
        [
          aws_api_gateway_rest_api.main.tags,
          aws_api_gateway_stage.main.tags,
          aws_cloudwatch_log_group.access.tags,
          aws_cloudwatch_log_group.function.tags,
          aws_iam_role.function.tags,
          aws_kms_key.main.tags,
          aws_lambda_function.main.tags,
          aws_sns_topic.alarms[0].tags,
        ],
      ) : tags == tomap({ Project = "device-tokens", Env = "stage", Owner = "mobile", CostCenter = "cc-1" })
    ])
    error_message = "Everything that can carry tags carries the four."
  }
}

run "prod" {
  variables {
    stage       = "prod"
    alarm_email = "team@example.com"
  }

  assert {
    condition     = aws_cloudwatch_log_group.function.retention_in_days == 90 && aws_cloudwatch_log_group.access.retention_in_days == 90
    error_message = "Logs are kept for 90 days in prod."
  }

  assert {
    condition     = aws_kms_key.main.deletion_window_in_days == 30 && aws_kms_key.main.enable_key_rotation
    error_message = "A deleted key waits 30 days in prod, and rotates until then."
  }

  assert {
    condition     = aws_api_gateway_stage.main.stage_name == "prod" && output.table_name == "device-tokens-prod" && aws_lambda_function.main.function_name == "device-tokens-prod" && aws_api_gateway_rest_api.main.name == "device-tokens-prod"
    error_message = "The names have the stage in them."
  }

  assert {
    condition     = aws_cloudwatch_log_group.function.name == "/aws/lambda/device-tokens-prod" && aws_cloudwatch_log_group.access.name == "/aws/apigateway/device-tokens-prod"
    error_message = "The function's log group is the one that Lambda writes to."
  }

  assert {
    condition = (
      aws_lambda_function.main.architectures == tolist(["arm64"]) && aws_lambda_function.main.memory_size == 128 && aws_lambda_function.main.timeout == 10 &&
      aws_lambda_function.main.runtime == "provided.al2023" && aws_lambda_function.main.handler == "bootstrap" && aws_lambda_function.main.package_type == "Zip"
    )
    error_message = "The function is an arm64 bootstrap with 128 MB and 10 seconds."
  }

  assert {
    condition = aws_lambda_function.main.environment[0].variables == tomap({
      DEVICE_TOKEN_TABLE_NAME  = "device-tokens-prod"
      DEVICE_TOKEN_STAGE       = "prod"
      DEVICE_TOKEN_TTL         = "2160h"
      DEVICE_TOKEN_MAX_DEVICES = "20"
      DEVICE_TOKEN_LOG_LEVEL   = "info"
      DEVICE_TOKEN_AUTH        = "claims"
    })
    error_message = "The function is told its table, policy and way to authenticate."
  }

  # The storage module's own resources carry the tags it is given: its tests.
  assert {
    condition = alltrue([
      for tags in concat(
        [for a in aws_cloudwatch_metric_alarm.service : a.tags],
        [
          aws_api_gateway_rest_api.main.tags,
          aws_api_gateway_stage.main.tags,
          aws_cloudwatch_log_group.access.tags,
          aws_cloudwatch_log_group.function.tags,
          aws_iam_role.function.tags,
          aws_kms_key.main.tags,
          aws_lambda_function.main.tags,
          aws_sns_topic.alarms[0].tags,
        ],
      ) : tags == tomap({ Project = "device-tokens", Env = "prod", Owner = "mobile", CostCenter = "cc-1" })
    ])
    error_message = "Everything that can carry tags carries the four."
  }
}

run "further_tags" {
  command = plan

  variables {
    extra_tags                 = { Team = "push" }
    manage_api_gateway_account = true
  }

  assert {
    condition     = aws_lambda_function.main.tags == tomap({ Project = "device-tokens", Env = "dev", Owner = "mobile", CostCenter = "cc-1", Team = "push" })
    error_message = "Further tags join the four."
  }

  assert {
    condition     = aws_iam_role.api_gateway_logs[0].tags == aws_lambda_function.main.tags
    error_message = "The role of the region's setting carries the tags too."
  }
}

run "a_restored_table" {
  command = plan

  variables {
    table_name = "device-tokens-dev-restored"
  }

  assert {
    condition     = output.table_name == "device-tokens-dev-restored" && aws_lambda_function.main.environment[0].variables.DEVICE_TOKEN_TABLE_NAME == "device-tokens-dev-restored"
    error_message = "The function is told the other table."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.service["table-conflicts"].dimensions == tomap({ TableName = "device-tokens-dev-restored" })
    error_message = "The alarms watch the other table."
  }

  assert {
    condition     = !strcontains(aws_cloudwatch_dashboard.main.dashboard_body, "\"TableName\",\"device-tokens-dev\"")
    error_message = "The dashboard shows the other table."
  }

  assert {
    condition     = aws_lambda_function.main.function_name == "device-tokens-dev" && aws_kms_alias.main.name == "alias/device-tokens-dev"
    error_message = "Nothing else has another name."
  }
}

run "other_settings" {
  command = plan

  variables {
    token_ttl_days       = 30
    max_devices          = 5
    log_level            = "debug"
    reserved_concurrency = 25
  }

  assert {
    condition = {
      for k in ["DEVICE_TOKEN_TTL", "DEVICE_TOKEN_MAX_DEVICES", "DEVICE_TOKEN_LOG_LEVEL"] :
      k => aws_lambda_function.main.environment[0].variables[k]
    } == { DEVICE_TOKEN_TTL = "720h", DEVICE_TOKEN_MAX_DEVICES = "5", DEVICE_TOKEN_LOG_LEVEL = "debug" }
    error_message = "The settings reach the function."
  }

  assert {
    condition     = aws_lambda_function.main.reserved_concurrent_executions == 25
    error_message = "The concurrency is reserved."
  }
}

run "package" {
  command = plan

  variables {
    package_path = "tests/package/function.zip"
  }

  assert {
    condition     = aws_lambda_function.main.filename == "tests/package/function.zip" && aws_lambda_function.main.source_code_hash == filebase64sha256("tests/package/function.zip")
    error_message = "A new package is a new hash, which an apply uploads."
  }
}

run "a_package_elsewhere" {
  command = plan

  variables {
    package_path = abspath("tests/package/function.zip")
  }

  assert {
    condition     = startswith(aws_lambda_function.main.filename, "/") && aws_lambda_function.main.source_code_hash == filebase64sha256("tests/package/function.zip")
    error_message = "A path from the root is taken as it is."
  }
}

run "no_package_yet" {
  command = plan

  variables {
    package_path = "tests/package/none.zip"
  }

  assert {
    condition     = aws_lambda_function.main.filename == "tests/package/none.zip"
    error_message = "A plan works before the package is built."
  }
}
