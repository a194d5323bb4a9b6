# The table, its alarms, and the values that the module rejects.

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
    error_message = "The keys are strings, and no other attribute is declared."
  }

  assert {
    condition     = aws_dynamodb_table.device_tokens.billing_mode == "PAY_PER_REQUEST"
    error_message = "The table has on-demand capacity."
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
    condition     = aws_dynamodb_table.device_tokens.point_in_time_recovery[0].enabled && aws_dynamodb_table.device_tokens.deletion_protection_enabled
    error_message = "Point-in-time recovery is on, and in prod deletion protection."
  }

  assert {
    condition     = aws_dynamodb_table.device_tokens.server_side_encryption[0].enabled && aws_dynamodb_table.device_tokens.server_side_encryption[0].kms_key_arn == var.kms_key_arn
    error_message = "The table is encrypted with the given key."
  }

  assert {
    condition     = !aws_dynamodb_table.device_tokens.stream_enabled && output.table_stream_arn == null
    error_message = "There is no stream by default."
  }

  assert {
    condition     = aws_dynamodb_table.device_tokens.tags == tomap(var.tags)
    error_message = "The table has the tags."
  }

  assert {
    condition     = [output.table_name, output.table_arn, output.table_id] == ["device-tokens-prod", aws_dynamodb_table.device_tokens.arn, aws_dynamodb_table.device_tokens.id]
    error_message = "The outputs are the table's."
  }

  assert {
    condition     = output.alarm_names == tolist(["device-tokens-prod-read-throttling", "device-tokens-prod-system-errors", "device-tokens-prod-write-throttling"])
    error_message = "Without limits there is no alarm on consumption, and the output has every alarm, sorted."
  }
}

run "stage" {
  command = plan

  variables {
    stage = "stage"
  }

  assert {
    condition     = aws_dynamodb_table.device_tokens.deletion_protection_enabled
    error_message = "The table in stage has deletion protection."
  }
}

run "dev_with_a_stream" {
  variables {
    stage            = "dev"
    stream_view_type = "KEYS_ONLY"
  }

  assert {
    condition     = !aws_dynamodb_table.device_tokens.deletion_protection_enabled
    error_message = "The table in dev has no deletion protection."
  }

  assert {
    condition     = aws_dynamodb_table.device_tokens.stream_enabled && aws_dynamodb_table.device_tokens.stream_view_type == "KEYS_ONLY" && output.table_stream_arn == aws_dynamodb_table.device_tokens.stream_arn
    error_message = "The table has the stream, whose ARN is an output."
  }
}

run "published" {
  module {
    source = "../../tests/published"
  }
}

run "alarms" {
  command = plan

  variables {
    read_limit  = 50
    write_limit = 20
  }

  assert {
    condition = {
      for a in aws_cloudwatch_metric_alarm.table :
      a.alarm_name => join(" ", [a.namespace, a.metric_name, a.statistic, a.comparison_operator, a.threshold, a.period, a.evaluation_periods, a.treat_missing_data, jsonencode(a.dimensions)])
      } == {
      device-tokens-prod-read-throttling   = "AWS/DynamoDB ReadThrottleEvents Sum GreaterThanThreshold 0 300 1 notBreaching {\"TableName\":\"device-tokens-prod\"}"
      device-tokens-prod-write-throttling  = "AWS/DynamoDB WriteThrottleEvents Sum GreaterThanThreshold 0 300 1 notBreaching {\"TableName\":\"device-tokens-prod\"}"
      device-tokens-prod-read-consumption  = "AWS/DynamoDB ConsumedReadCapacityUnits Sum GreaterThanThreshold 3000 60 5 notBreaching {\"TableName\":\"device-tokens-prod\"}"
      device-tokens-prod-write-consumption = "AWS/DynamoDB ConsumedWriteCapacityUnits Sum GreaterThanThreshold 1200 60 5 notBreaching {\"TableName\":\"device-tokens-prod\"}"
    }
    error_message = "There are alarms on throttled requests, and on the units of a minute."
  }

  assert {
    condition = alltrue([
      for a in aws_cloudwatch_metric_alarm.table :
      join(",", keys(a.dimensions)) == run.published.metrics["${a.namespace}/${a.metric_name}"].dimensions &&
      contains(run.published.metrics["${a.namespace}/${a.metric_name}"].statistics, a.statistic)
    ])
    error_message = "Each alarm has dimensions and a statistic that exist for its metric."
  }

  assert {
    condition = alltrue(flatten([
      for q in aws_cloudwatch_metric_alarm.system_errors.metric_query : [
        for m in q.metric :
        join(",", keys(m.dimensions)) == run.published.metrics["${m.namespace}/${m.metric_name}"].dimensions &&
        contains(run.published.metrics["${m.namespace}/${m.metric_name}"].statistics, m.stat)
      ]
    ]))
    error_message = "Each query has dimensions and a statistic that exist for its metric."
  }

  assert {
    condition = toset(flatten([
      for q in aws_cloudwatch_metric_alarm.system_errors.metric_query : [
        for m in q.metric : jsonencode([m.namespace, m.metric_name, m.stat, m.dimensions])
      ]
      ])) == toset([
      for operation in ["GetItem", "Query", "TransactGetItems", "TransactWriteItems", "UpdateItem"] :
      jsonencode(["AWS/DynamoDB", "SystemErrors", "Sum", { Operation = operation, TableName = "device-tokens-prod" }])
    ])
    error_message = "System errors are added up over the operations in use."
  }

  assert {
    condition     = [for q in aws_cloudwatch_metric_alarm.system_errors.metric_query : q.expression if q.return_data] == ["SUM(FILL(METRICS(), 0))"]
    error_message = "The alarm uses the sum, in which a missing operation counts 0."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.system_errors.treat_missing_data == "notBreaching" && length(output.alarm_names) == 5
    error_message = "Missing data is no error, and the output has the alarms on consumption."
  }

  assert {
    condition = alltrue([
      for a in concat(values(aws_cloudwatch_metric_alarm.table), [aws_cloudwatch_metric_alarm.system_errors]) :
      a.alarm_actions == toset(var.alarm_topic_arns) && a.ok_actions == toset(var.alarm_topic_arns) && a.tags == tomap(var.tags)
    ])
    error_message = "Each alarm notifies the topics when it begins and ends, and has the tags."
  }
}

run "rejects_wrong_values" {
  command         = plan
  expect_failures = [var.stage, var.table_name, var.kms_key_arn, var.stream_view_type, var.read_limit, var.write_limit, var.alarm_topic_arns, var.tags]

  variables {
    stage            = "production"
    table_name       = "device tokens"
    kms_key_arn      = "arn:aws:kms:eu-central-1:111122223333:alias/device-tokens"
    stream_view_type = "KEYS"
    read_limit       = 0
    write_limit      = 0
    alarm_topic_arns = ["alarms"]
    tags             = { Project = "device-tokens", Env = "prod", Owner = "mobile", CostCenter = " " }
  }
}

run "rejects_tags_without_project" {
  command         = plan
  expect_failures = [var.tags]

  variables {
    tags = { Env = "prod", Owner = "mobile", CostCenter = "cc-1" }
  }
}

run "rejects_tags_without_env" {
  command         = plan
  expect_failures = [var.tags]

  variables {
    tags = { Project = "device-tokens", Owner = "mobile", CostCenter = "cc-1" }
  }
}

run "rejects_tags_without_owner" {
  command         = plan
  expect_failures = [var.tags]

  variables {
    tags = { Project = "device-tokens", Env = "prod", CostCenter = "cc-1" }
  }
}

run "rejects_tags_without_costcenter" {
  command         = plan
  expect_failures = [var.tags]

  variables {
    tags = { Project = "device-tokens", Env = "prod", Owner = "mobile" }
  }
}
