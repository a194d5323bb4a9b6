locals {
  alarm_arn_prefix = "arn:${local.partition}:cloudwatch:${var.region}:${local.account_id}:alarm"

  # Widgets are twelve wide and six high, two in a row, in the order of monitoring.json.
  graphs = [for graph in local.monitoring.graphs : merge(graph, {
    metrics = concat([
      for part in graph.metrics : concat([
        for metric in part.names : [
          for dimensions in local.metrics_of[part.of].dimensions :
          concat([local.metrics_of[part.of].namespace, metric], flatten([for name, value in dimensions : [name, value]]))
        ]
      ]...)
    ]...)
  })]

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
