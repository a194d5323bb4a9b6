# What differs by stage, the function, the tags, and settings that no stage sets. The tests of the storage module check
# the table by stage.

mock_provider "aws" {
  source = "./tests/mocks"
}

run "dev" {
  assert {
    condition = (
      aws_cloudwatch_log_group.function.retention_in_days == 14 && aws_cloudwatch_log_group.access.retention_in_days == 14 &&
      aws_kms_key.main.deletion_window_in_days == 7 && aws_kms_key.main.enable_key_rotation
    )
    error_message = "In dev logs are kept for 14 days, and a deleted key waits 7 days and rotates until then."
  }

  assert {
    condition = [
      aws_api_gateway_stage.main.stage_name, output.table_name, aws_lambda_function.main.function_name, aws_api_gateway_rest_api.main.name,
      aws_cloudwatch_log_group.function.name, aws_cloudwatch_log_group.access.name,
      ] == [
      "dev", "device-tokens-dev", "device-tokens-dev", "device-tokens-dev",
      "/aws/lambda/device-tokens-dev", "/aws/apigateway/device-tokens-dev",
    ]
    error_message = "The names have the stage in them, and Lambda writes to the function's log group."
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
    error_message = "The function gets its table and policy, and takes the user from the authorizer's claims."
  }

  # The storage module's tests check the tags of its resources.
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
    error_message = "Every resource that can have tags has the four."
  }
}

run "stage" {
  command = plan

  variables {
    stage = "stage"
  }

  assert {
    condition = (
      aws_cloudwatch_log_group.function.retention_in_days == 30 && aws_cloudwatch_log_group.access.retention_in_days == 30 &&
      aws_kms_key.main.deletion_window_in_days == 30 && aws_kms_key.main.enable_key_rotation
    )
    error_message = "In stage logs are kept for 30 days, and a deleted key waits 30 days and rotates until then."
  }

  assert {
    condition     = aws_api_gateway_stage.main.stage_name == "stage" && aws_lambda_function.main.tags.Env == "stage" && output.table_name == "device-tokens-stage"
    error_message = "The names and tags have the stage in them."
  }
}

run "prod" {
  command = plan

  variables {
    stage       = "prod"
    alarm_email = "team@example.com"
  }

  assert {
    condition = (
      aws_cloudwatch_log_group.function.retention_in_days == 90 && aws_cloudwatch_log_group.access.retention_in_days == 90 &&
      aws_kms_key.main.deletion_window_in_days == 30 && aws_kms_key.main.enable_key_rotation
    )
    error_message = "In prod logs are kept for 90 days, and a deleted key waits 30 days and rotates until then."
  }

  assert {
    condition     = aws_api_gateway_stage.main.stage_name == "prod" && aws_lambda_function.main.tags.Env == "prod" && output.table_name == "device-tokens-prod"
    error_message = "The names and tags have the stage in them."
  }
}

run "other_settings" {
  command = plan

  variables {
    extra_tags                 = { Team = "push" }
    manage_api_gateway_account = true
    token_ttl_days             = 30
    max_devices                = 5
    log_level                  = "debug"
    reserved_concurrency       = 25
    package_path               = "tests/package/function.zip"
  }

  assert {
    condition     = aws_lambda_function.main.tags == tomap({ Project = "device-tokens", Env = "dev", Owner = "mobile", CostCenter = "cc-1", Team = "push" })
    error_message = "Additional tags join the four."
  }

  assert {
    condition     = aws_iam_role.api_gateway_logs[0].tags == aws_lambda_function.main.tags
    error_message = "The role for access logs has the tags too."
  }

  assert {
    condition = {
      for k in ["DEVICE_TOKEN_TTL", "DEVICE_TOKEN_MAX_DEVICES", "DEVICE_TOKEN_LOG_LEVEL"] :
      k => aws_lambda_function.main.environment[0].variables[k]
    } == { DEVICE_TOKEN_TTL = "720h", DEVICE_TOKEN_MAX_DEVICES = "5", DEVICE_TOKEN_LOG_LEVEL = "debug" }
    error_message = "The function gets the settings."
  }

  assert {
    condition     = aws_lambda_function.main.reserved_concurrent_executions == 25
    error_message = "The concurrency is reserved."
  }

  assert {
    condition     = aws_lambda_function.main.filename == "tests/package/function.zip" && aws_lambda_function.main.source_code_hash == filebase64sha256("tests/package/function.zip")
    error_message = "A new package has a new hash, so an apply uploads it."
  }
}

run "a_restored_table" {
  command = plan

  variables {
    table_name   = "device-tokens-dev-restored"
    package_path = "tests/package/none.zip"
  }

  assert {
    condition     = output.table_name == "device-tokens-dev-restored" && aws_lambda_function.main.environment[0].variables.DEVICE_TOKEN_TABLE_NAME == "device-tokens-dev-restored"
    error_message = "The function gets the other table."
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
    error_message = "The other resources keep their names."
  }

  assert {
    condition     = aws_lambda_function.main.filename == "tests/package/none.zip"
    error_message = "A plan works before the package is built."
  }
}

run "a_package_elsewhere" {
  command = plan

  variables {
    package_path = abspath("tests/package/function.zip")
  }

  assert {
    condition     = startswith(aws_lambda_function.main.filename, "/") && aws_lambda_function.main.source_code_hash == filebase64sha256("tests/package/function.zip")
    error_message = "An absolute path stays as it is."
  }
}
