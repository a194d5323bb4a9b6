locals {
  # The function writes these in CloudWatch's embedded metric format.
  function_metrics_namespace = "DeviceTokens"
  outcomes                   = ["Created", "Refreshed", "Moved", "Deactivated", "Erased", "Rejected", "TryAgain"]

  alarm_arn_prefix = "arn:${local.partition}:cloudwatch:${var.region}:${local.account_id}:alarm"

  on_api      = ["ApiName", local.name, "Stage", var.stage]
  on_function = ["FunctionName", local.name]
  on_table    = ["TableName", local.table_name]
  on_stage    = ["Stage", var.stage]

  # Widgets are twelve wide and six high, two in a row, in this order.
  graphs = [
    {
      title = "Traffic"
      stat  = "Sum"
      metrics = [
        for metric in ["Count", "4XXError", "5XXError"] : concat(["AWS/ApiGateway", metric], local.on_api)
      ]
    },
    {
      title = "Outcomes"
      stat  = "Sum"
      metrics = [
        for metric in local.outcomes : concat([local.function_metrics_namespace, metric], local.on_stage)
      ]
    },
    {
      title = "Errors, throttles and conflicts"
      stat  = "Sum"
      metrics = concat(
        [for metric in ["Errors", "Throttles"] : concat(["AWS/Lambda", metric], local.on_function)],
        [for metric in ["ReadThrottleEvents", "WriteThrottleEvents", "TransactionConflict"] : concat(["AWS/DynamoDB", metric], local.on_table)],
      )
    },
    {
      title = "Latency (ms, p99)"
      stat  = "p99"
      metrics = [
        concat(["AWS/ApiGateway", "Latency"], local.on_api),
        concat(["AWS/ApiGateway", "IntegrationLatency"], local.on_api),
        concat(["AWS/Lambda", "Duration"], local.on_function),
        concat([local.function_metrics_namespace, "StoreLatency"], local.on_stage),
      ]
    },
    {
      title   = "Table latency by operation (ms)"
      stat    = "Average"
      metrics = [for operation in module.storage.operations : concat(["AWS/DynamoDB", "SuccessfulRequestLatency"], local.on_table, ["Operation", operation])]
    },
    {
      title   = "Concurrent executions"
      stat    = "Maximum"
      metrics = [concat(["AWS/Lambda", "ConcurrentExecutions"], local.on_function)]
    },
    {
      title = "Cost: table units"
      stat  = "Sum"
      metrics = [
        for metric in ["ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits", "TimeToLiveDeletedItemCount"] : concat(["AWS/DynamoDB", metric], local.on_table)
      ]
    },
    {
      title = "Cost: invocations and log bytes"
      stat  = "Sum"
      metrics = concat(
        [concat(["AWS/Lambda", "Invocations"], local.on_function)],
        [for group in [local.access_log_group, local.function_log_group] : ["AWS/Logs", "IncomingBytes", "LogGroupName", group]],
      )
    },
  ]

  dashboard = {
    widgets = concat(
      [{
        type   = "alarm"
        x      = 0
        y      = 0
        width  = 24
        height = 3
        properties = {
          title  = "Alarms"
          alarms = [for name in local.alarm_names : "${local.alarm_arn_prefix}:${name}"]
        }
      }],
      [for i, graph in local.graphs : {
        type   = "metric"
        x      = 12 * (i % 2)
        y      = 3 + 6 * floor(i / 2)
        width  = 12
        height = 6
        properties = {
          title   = graph.title
          region  = var.region
          view    = "timeSeries"
          stacked = false
          stat    = graph.stat
          period  = 300
          metrics = graph.metrics
        }
      }],
    )
  }
}

resource "aws_cloudwatch_dashboard" "main" {
  dashboard_name = local.name
  dashboard_body = jsonencode(local.dashboard)
}
