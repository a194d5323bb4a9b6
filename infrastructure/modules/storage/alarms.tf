locals {
  # The operations that dynamostore calls. DynamoDB publishes SystemErrors for each
  # operation and not for the table, so the alarm adds them up.
  operations = ["GetItem", "Query", "TransactGetItems", "TransactWriteItems", "UpdateItem"]

  throttling = {
    read = {
      metric = "ReadThrottleEvents"
      means  = "DynamoDB throttles reads of the device-token table."
    }
    write = {
      metric = "WriteThrottleEvents"
      means  = "DynamoDB throttles writes of the device-token table."
    }
  }

  limits = {
    for name, limit in {
      read  = { metric = "ConsumedReadCapacityUnits", units = var.read_limit }
      write = { metric = "ConsumedWriteCapacityUnits", units = var.write_limit }
    } : name => limit if limit.units != null
  }
}

# DynamoDB publishes these metrics only if they are not zero, so missing data is not a
# breach in the alarms below.

resource "aws_cloudwatch_metric_alarm" "throttling" {
  for_each = local.throttling

  alarm_name        = "${var.table_name}-${each.key}-throttling"
  alarm_description = "${each.value.means} Runbook: docs/infra/device-tokens.md."

  namespace   = "AWS/DynamoDB"
  metric_name = each.value.metric
  dimensions  = { TableName = aws_dynamodb_table.device_tokens.name }
  statistic   = "Sum"
  period      = 300

  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"

  alarm_actions = var.alarm_topic_arns
  ok_actions    = var.alarm_topic_arns
  tags          = var.tags
}

resource "aws_cloudwatch_metric_alarm" "system_errors" {
  alarm_name        = "${var.table_name}-system-errors"
  alarm_description = "DynamoDB returns HTTP 500 for requests to the device-token table. Runbook: docs/infra/device-tokens.md."

  # The SDK retries such a request, so a single failure needs no alarm.
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 5
  treat_missing_data  = "notBreaching"

  # An operation without errors has no data point, hence FILL.
  metric_query {
    id          = "total"
    expression  = "SUM(FILL(METRICS(), 0))"
    label       = "System errors"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = local.operations

    content {
      id          = "m${metric_query.key}"
      return_data = false

      metric {
        namespace   = "AWS/DynamoDB"
        metric_name = "SystemErrors"
        stat        = "Sum"
        period      = 300

        dimensions = {
          TableName = aws_dynamodb_table.device_tokens.name
          Operation = metric_query.value
        }
      }
    }
  }

  alarm_actions = var.alarm_topic_arns
  ok_actions    = var.alarm_topic_arns
  tags          = var.tags
}

resource "aws_cloudwatch_metric_alarm" "consumption" {
  for_each = local.limits

  alarm_name        = "${var.table_name}-${each.key}-consumption"
  alarm_description = "The device-token table consumes more than ${each.value.units} ${each.key} units a second. Runbook: docs/infra/device-tokens.md."

  namespace   = "AWS/DynamoDB"
  metric_name = each.value.metric
  dimensions  = { TableName = aws_dynamodb_table.device_tokens.name }
  statistic   = "Sum"
  period      = 60

  evaluation_periods  = 5
  datapoints_to_alarm = 5
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.units * 60
  treat_missing_data  = "notBreaching"

  alarm_actions = var.alarm_topic_arns
  ok_actions    = var.alarm_topic_arns
  tags          = var.tags
}
