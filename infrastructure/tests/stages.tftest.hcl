# What differs by stage, and the function's package. The comparison of the plans with SST finds other wrong values, and
# those of the settings that no stage sets.

mock_provider "aws" {
  source = "./tests/mocks"
}

run "dev" {
  assert {
    condition = jsonencode([
      aws_cloudwatch_log_group.function.retention_in_days, aws_cloudwatch_log_group.access.retention_in_days,
      aws_kms_key.main.deletion_window_in_days, aws_kms_key.main.enable_key_rotation,
    ]) == jsonencode([14, 14, 7, true])
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
}

run "function" {
  command = plan

  assert {
    condition = jsonencode([
      for f in [aws_lambda_function.main] : [f.architectures, f.memory_size, f.timeout, f.environment[0].variables.DEVICE_TOKEN_TTL, f.tags]
      ]) == jsonencode([
      [["arm64"], 128, 10, "2160h", { Project = "device-tokens", Env = "dev", Owner = "mobile", CostCenter = "cc-1" }]
    ])
    error_message = "The function is for arm64, with 128 MB, 10 seconds, 90 days and the tags."
  }
}

run "stage" {
  command = plan

  variables {
    stage = "stage"
  }

  assert {
    condition = jsonencode([
      aws_cloudwatch_log_group.function.retention_in_days, aws_cloudwatch_log_group.access.retention_in_days,
      aws_kms_key.main.deletion_window_in_days, output.table_name, aws_lambda_function.main.tags.Env,
    ]) == jsonencode([30, 30, 30, "device-tokens-stage", "stage"])
    error_message = "In stage logs are kept for 30 days, a deleted key waits 30 days, and names and tags have the stage."
  }
}

run "prod" {
  command = plan

  variables {
    stage       = "prod"
    alarm_email = "team@example.com"
  }

  assert {
    condition = jsonencode([
      aws_cloudwatch_log_group.function.retention_in_days, aws_cloudwatch_log_group.access.retention_in_days,
      aws_kms_key.main.deletion_window_in_days, output.table_name, aws_lambda_function.main.tags.Env,
    ]) == jsonencode([90, 90, 30, "device-tokens-prod", "prod"])
    error_message = "In prod logs are kept for 90 days, a deleted key waits 30 days, and names and tags have the stage."
  }
}

run "package" {
  command = plan

  variables {
    package_path = "tests/package/function.zip"
  }

  assert {
    condition     = aws_lambda_function.main.filename == "tests/package/function.zip" && aws_lambda_function.main.source_code_hash == filebase64sha256("tests/package/function.zip")
    error_message = "A new package has a new hash, so an apply uploads it."
  }
}

run "package_elsewhere" {
  command = plan

  variables {
    package_path = abspath("tests/package/function.zip")
  }

  assert {
    condition     = startswith(aws_lambda_function.main.filename, "/") && aws_lambda_function.main.source_code_hash == filebase64sha256("tests/package/function.zip")
    error_message = "An absolute path stays as it is."
  }
}

run "package_not_built" {
  command = plan

  variables {
    package_path = "tests/package/none.zip"
  }

  assert {
    condition     = aws_lambda_function.main.filename == "tests/package/none.zip"
    error_message = "A plan works before the package is built."
  }
}
