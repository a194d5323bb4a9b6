locals {
  # The operations that dynamostore calls. DynamoDB publishes SystemErrors for each
  # operation and not for the table, so the alarm adds them up.
  operations = ["GetItem", "Query", "TransactGetItems", "TransactWriteItems", "UpdateItem"]

  units  = { read = "Read", write = "Write" }
  limits = { for kind, limit in { read = var.read_limit, write = var.write_limit } : kind => limit if limit != null }

  alarms = merge(
    { for kind, metric in local.units : "${kind}-throttling" => {
      means     = "DynamoDB throttles ${kind}s of the device-token table."
      metric    = "${metric}ThrottleEvents"
      threshold = 0
      period    = 300
      periods   = 1
    } },
    { for kind, limit in local.limits : "${kind}-consumption" => {
      means     = "The device-token table consumes more than ${limit} ${kind} units a second."
      metric    = "Consumed${local.units[kind]}CapacityUnits"
      threshold = limit * 60
      period    = 60
      periods   = 5
    } },
  )
}

# DynamoDB publishes these metrics only if they are not zero, so missing data is not a
# breach in the alarms below.

resource "aws_cloudwatch_metric_alarm" "table" {
  for_each = local.alarms

  alarm_name        = "${var.table_name}-${each.key}"
  alarm_description = "${each.value.means} Runbook: docs/infra/device-tokens.md."

  namespace   = "AWS/DynamoDB"
  metric_name = each.value.metric
  dimensions  = { TableName = aws_dynamodb_table.device_tokens.name }
  statistic   = "Sum"
  period      = each.value.period

  evaluation_periods  = each.value.periods
  datapoints_to_alarm = each.value.periods
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.threshold
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
