# The table and its alarms, and what the module refuses.

mock_provider "aws" {}

variables {
  stage            = "prod"
  table_name       = "device-tokens-prod"
  kms_key_arn      = "arn:aws:kms:eu-central-1:111122223333:key/0a1b2c3d-1111-2222-3333-444455556666"
  alarm_topic_arns = ["arn:aws:sns:eu-central-1:111122223333:alarms"]

  tags = {
    Project    = "device-tokens"
    Env        = "prod"
    Owner      = "mobile"
    CostCenter = "cc-1"
  }
}

run "table" {
  assert {
    condition     = aws_dynamodb_table.device_tokens.hash_key == "userId" && aws_dynamodb_table.device_tokens.range_key == "deviceId"
    error_message = "The keys are userId and deviceId."
  }

  assert {
    condition     = { for a in aws_dynamodb_table.device_tokens.attribute : a.name => a.type } == { userId = "S", deviceId = "S" }
    error_message = "The keys are strings, and nothing else is declared."
  }

  assert {
    condition     = aws_dynamodb_table.device_tokens.billing_mode == "PAY_PER_REQUEST"
    error_message = "The table is billed on demand."
  }

  assert {
    condition     = length(aws_dynamodb_table.device_tokens.global_secondary_index) == 0 && length(aws_dynamodb_table.device_tokens.local_secondary_index) == 0
    error_message = "The table has no index."
  }

  assert {
    condition     = aws_dynamodb_table.device_tokens.ttl[0].enabled && aws_dynamodb_table.device_tokens.ttl[0].attribute_name == "expiresAt"
    error_message = "TTL is on expiresAt."
  }

  assert {
    condition     = aws_dynamodb_table.device_tokens.point_in_time_recovery[0].enabled
    error_message = "Point-in-time recovery is on."
  }

  assert {
    condition     = aws_dynamodb_table.device_tokens.server_side_encryption[0].enabled && aws_dynamodb_table.device_tokens.server_side_encryption[0].kms_key_arn == var.kms_key_arn
    error_message = "The table is encrypted with the key passed in."
  }

  assert {
    condition     = !aws_dynamodb_table.device_tokens.stream_enabled && output.table_stream_arn == null
    error_message = "There is no stream unless asked for."
  }

  assert {
    condition     = aws_dynamodb_table.device_tokens.tags == tomap(var.tags)
    error_message = "The table carries the tags."
  }

  assert {
    condition = (
      output.table_name == "device-tokens-prod" &&
      output.table_arn == aws_dynamodb_table.device_tokens.arn &&
      output.table_id == aws_dynamodb_table.device_tokens.id
    )
    error_message = "The outputs are the table's."
  }
}

run "protection_in_prod" {
  command = plan

  assert {
    condition     = aws_dynamodb_table.device_tokens.deletion_protection_enabled
    error_message = "The table in prod is protected from deletion."
  }
}

run "protection_in_stage" {
  command = plan

  variables {
    stage = "stage"
  }

  assert {
    condition     = aws_dynamodb_table.device_tokens.deletion_protection_enabled
    error_message = "The table in stage is protected from deletion."
  }
}

run "no_protection_in_dev" {
  command = plan

  variables {
    stage = "dev"
  }

  assert {
    condition     = !aws_dynamodb_table.device_tokens.deletion_protection_enabled
    error_message = "The table in dev can be thrown away."
  }
}

run "stream" {
  variables {
    stream_view_type = "KEYS_ONLY"
  }

  assert {
    condition     = aws_dynamodb_table.device_tokens.stream_enabled && aws_dynamodb_table.device_tokens.stream_view_type == "KEYS_ONLY"
    error_message = "The stream is what was asked for."
  }

  assert {
    condition     = output.table_stream_arn == aws_dynamodb_table.device_tokens.stream_arn
    error_message = "The stream's ARN is an output."
  }
}

run "published" {
  module {
    source = "../../tests/published"
  }
}

run "alarms_on_what_aws_publishes" {
  command = plan

  variables {
    read_limit  = 50
    write_limit = 20
  }

  assert {
    condition = alltrue([
      for a in concat(values(aws_cloudwatch_metric_alarm.throttling), values(aws_cloudwatch_metric_alarm.consumption)) :
      join(",", keys(a.dimensions)) == run.published.metrics["${a.namespace}/${a.metric_name}"].dimensions &&
      contains(run.published.metrics["${a.namespace}/${a.metric_name}"].statistics, a.statistic)
    ])
    error_message = "Each alarm has dimensions and a statistic that AWS publishes for its metric."
  }

  assert {
    condition = alltrue(flatten([
      for q in aws_cloudwatch_metric_alarm.system_errors.metric_query : [
        for m in q.metric :
        join(",", keys(m.dimensions)) == run.published.metrics["${m.namespace}/${m.metric_name}"].dimensions &&
        contains(run.published.metrics["${m.namespace}/${m.metric_name}"].statistics, m.stat)
      ]
    ]))
    error_message = "Each query has dimensions and a statistic that AWS publishes for its metric."
  }
}

run "throttling_alarms" {
  command = plan

  assert {
    condition = {
      for k, a in aws_cloudwatch_metric_alarm.throttling : k => [a.namespace, a.metric_name, a.statistic, jsonencode(a.dimensions)]
      } == {
      read  = ["AWS/DynamoDB", "ReadThrottleEvents", "Sum", jsonencode({ TableName = "device-tokens-prod" })]
      write = ["AWS/DynamoDB", "WriteThrottleEvents", "Sum", jsonencode({ TableName = "device-tokens-prod" })]
    }
    error_message = "Throttling of reads and of writes is watched, by TableName alone."
  }

  assert {
    condition     = alltrue([for a in aws_cloudwatch_metric_alarm.throttling : a.threshold == 0 && a.comparison_operator == "GreaterThanThreshold" && a.treat_missing_data == "notBreaching"])
    error_message = "One throttled request is told, none is fine."
  }
}

run "system_error_alarm" {
  command = plan

  assert {
    condition = toset(flatten([
      for q in aws_cloudwatch_metric_alarm.system_errors.metric_query : [
        for m in q.metric : jsonencode([m.namespace, m.metric_name, m.stat, m.dimensions])
      ]
      ])) == toset([
      for operation in ["GetItem", "Query", "TransactGetItems", "TransactWriteItems", "UpdateItem"] :
      jsonencode(["AWS/DynamoDB", "SystemErrors", "Sum", { Operation = operation, TableName = "device-tokens-prod" }])
    ])
    error_message = "System errors are summed over the operations in use, by TableName and Operation."
  }

  assert {
    condition = [
      for q in aws_cloudwatch_metric_alarm.system_errors.metric_query : q.expression if q.return_data
    ] == ["SUM(FILL(METRICS(), 0))"]
    error_message = "The alarm looks at the sum alone, in which a missing operation counts 0."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.system_errors.treat_missing_data == "notBreaching"
    error_message = "No errors, no data: that is fine."
  }
}

run "no_limits_by_default" {
  command = plan

  assert {
    condition     = length(aws_cloudwatch_metric_alarm.consumption) == 0
    error_message = "Without limits there is no alarm on consumption."
  }

  assert {
    condition     = output.alarm_names == tolist(["device-tokens-prod-read-throttling", "device-tokens-prod-system-errors", "device-tokens-prod-write-throttling"])
    error_message = "The output names every alarm, sorted."
  }
}

run "limits" {
  command = plan

  variables {
    read_limit  = 50
    write_limit = 20
  }

  assert {
    condition = {
      for k, a in aws_cloudwatch_metric_alarm.consumption : k => [a.metric_name, a.statistic, tostring(a.period), tostring(a.threshold), jsonencode(a.dimensions)]
      } == {
      read  = ["ConsumedReadCapacityUnits", "Sum", "60", "3000", jsonencode({ TableName = "device-tokens-prod" })]
      write = ["ConsumedWriteCapacityUnits", "Sum", "60", "1200", jsonencode({ TableName = "device-tokens-prod" })]
    }
    error_message = "A limit is an alarm on the units of a minute."
  }

  assert {
    condition     = length(output.alarm_names) == 5
    error_message = "The output names the alarms on consumption too."
  }
}

run "alarms_tell_and_carry_tags" {
  command = plan

  variables {
    read_limit  = 50
    write_limit = 20
  }

  assert {
    condition = alltrue([
      for a in concat(values(aws_cloudwatch_metric_alarm.throttling), [aws_cloudwatch_metric_alarm.system_errors], values(aws_cloudwatch_metric_alarm.consumption)) :
      a.alarm_actions == toset(var.alarm_topic_arns) && a.ok_actions == toset(var.alarm_topic_arns) && a.tags == tomap(var.tags)
    ])
    error_message = "Each alarm tells the topics when it begins and ends, and carries the tags."
  }
}

run "refuses_an_unknown_stage" {
  command         = plan
  expect_failures = [var.stage]

  variables {
    stage = "production"
  }
}

run "refuses_a_bad_table_name" {
  command         = plan
  expect_failures = [var.table_name]

  variables {
    table_name = "device tokens"
  }
}

run "refuses_a_key_alias" {
  command         = plan
  expect_failures = [var.kms_key_arn]

  variables {
    kms_key_arn = "arn:aws:kms:eu-central-1:111122223333:alias/device-tokens"
  }
}

run "refuses_an_unknown_stream_view" {
  command         = plan
  expect_failures = [var.stream_view_type]

  variables {
    stream_view_type = "KEYS"
  }
}

run "refuses_a_read_limit_of_zero" {
  command         = plan
  expect_failures = [var.read_limit]

  variables {
    read_limit = 0
  }
}

run "refuses_a_write_limit_of_zero" {
  command         = plan
  expect_failures = [var.write_limit]

  variables {
    write_limit = 0
  }
}

run "refuses_a_topic_that_is_none" {
  command         = plan
  expect_failures = [var.alarm_topic_arns]

  variables {
    alarm_topic_arns = ["alarms"]
  }
}

run "refuses_to_do_without_project" {
  command         = plan
  expect_failures = [var.tags]

  variables {
    tags = { Env = "prod", Owner = "mobile", CostCenter = "cc-1" }
  }
}

run "refuses_to_do_without_env" {
  command         = plan
  expect_failures = [var.tags]

  variables {
    tags = { Project = "device-tokens", Owner = "mobile", CostCenter = "cc-1" }
  }
}

run "refuses_to_do_without_owner" {
  command         = plan
  expect_failures = [var.tags]

  variables {
    tags = { Project = "device-tokens", Env = "prod", CostCenter = "cc-1" }
  }
}

run "refuses_to_do_without_costcenter" {
  command         = plan
  expect_failures = [var.tags]

  variables {
    tags = { Project = "device-tokens", Env = "prod", Owner = "mobile" }
  }
}

run "refuses_an_empty_tag" {
  command         = plan
  expect_failures = [var.tags]

  variables {
    tags = { Project = "device-tokens", Env = "prod", Owner = "mobile", CostCenter = " " }
  }
}
