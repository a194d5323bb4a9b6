# Each alarm, and each graph of the dashboard, compared with the metrics that AWS publishes.

mock_provider "aws" {
  source = "./tests/mocks"
}

run "published" {
  module {
    source = "./tests/published"
  }
}

run "alarms" {
  variables {
    stage       = "prod"
    alarm_email = "oncall@example.com"
    read_limit  = 100
    write_limit = 200
  }

  assert {
    condition = alltrue([
      for name, a in aws_cloudwatch_metric_alarm.service :
      join(",", keys(a.dimensions)) == run.published.metrics["${a.namespace}/${a.metric_name}"].dimensions &&
      contains(run.published.metrics["${a.namespace}/${a.metric_name}"].statistics, coalesce(a.statistic, a.extended_statistic))
    ])
    error_message = "Each alarm has dimensions and a statistic that exist for its metric."
  }

  assert {
    condition = {
      for name, a in aws_cloudwatch_metric_alarm.service :
      name => join(" ", [a.namespace, a.metric_name, coalesce(a.statistic, a.extended_statistic), a.comparison_operator, a.threshold, a.period, a.evaluation_periods, a.datapoints_to_alarm, a.treat_missing_data, jsonencode(a.dimensions)])
      } == {
      api-5xx            = "AWS/ApiGateway 5XXError Sum GreaterThanThreshold 5 300 1 1 notBreaching {\"ApiName\":\"device-tokens-prod\",\"Stage\":\"prod\"}"
      api-latency        = "AWS/ApiGateway Latency p99 GreaterThanThreshold 2000 300 3 3 notBreaching {\"ApiName\":\"device-tokens-prod\",\"Stage\":\"prod\"}"
      function-duration  = "AWS/Lambda Duration Maximum GreaterThanThreshold 8000 300 1 1 notBreaching {\"FunctionName\":\"device-tokens-prod\"}"
      function-errors    = "AWS/Lambda Errors Sum GreaterThanThreshold 0 300 1 1 notBreaching {\"FunctionName\":\"device-tokens-prod\"}"
      function-throttles = "AWS/Lambda Throttles Sum GreaterThanThreshold 0 300 1 1 notBreaching {\"FunctionName\":\"device-tokens-prod\"}"
      moved              = "DeviceTokens Moved Sum GreaterThanThreshold 100 3600 1 1 notBreaching {\"Stage\":\"prod\"}"
      table-conflicts    = "AWS/DynamoDB TransactionConflict Sum GreaterThanThreshold 100 300 3 3 notBreaching {\"TableName\":\"device-tokens-prod\"}"
    }
    error_message = "There are these seven alarms, as in the runbook."
  }

  assert {
    condition     = alltrue([for a in aws_cloudwatch_metric_alarm.service : a.alarm_actions == toset([aws_sns_topic.alarms[0].arn]) && a.ok_actions == toset([output.alarm_topic_arn])])
    error_message = "Each alarm notifies the topic when it begins and ends."
  }

  assert {
    condition = output.alarm_names == tolist(sort([
      "device-tokens-prod-api-5xx", "device-tokens-prod-api-latency",
      "device-tokens-prod-function-duration", "device-tokens-prod-function-errors", "device-tokens-prod-function-throttles",
      "device-tokens-prod-moved", "device-tokens-prod-read-consumption", "device-tokens-prod-read-throttling",
      "device-tokens-prod-system-errors", "device-tokens-prod-table-conflicts",
      "device-tokens-prod-write-consumption", "device-tokens-prod-write-throttling",
    ]))
    error_message = "The output has every alarm, with those of the table."
  }

  assert {
    condition     = aws_sns_topic_subscription.email[0].protocol == "email" && aws_sns_topic_subscription.email[0].endpoint == "oncall@example.com" && aws_sns_topic_subscription.email[0].topic_arn == aws_sns_topic.alarms[0].arn
    error_message = "The address subscribes to the topic."
  }
}

run "graphs" {
  command = plan

  assert {
    condition = alltrue(flatten([
      for w in jsondecode(aws_cloudwatch_dashboard.main.dashboard_body).widgets : [
        for m in lookup(w.properties, "metrics", []) :
        join(",", sort([for i, word in m : word if i >= 2 && i % 2 == 0])) == run.published.metrics["${m[0]}/${m[1]}"].dimensions &&
        contains(run.published.metrics["${m[0]}/${m[1]}"].statistics, w.properties.stat)
      ]
    ]))
    error_message = "Each graph has dimensions and a statistic that exist for its metrics."
  }

  assert {
    condition = [
      for w in jsondecode(aws_cloudwatch_dashboard.main.dashboard_body).widgets : "${w.properties.title}: ${length(lookup(w.properties, "metrics", []))}"
      ] == [
      "Alarms: 0", "Traffic: 3", "Outcomes: 7", "Errors, throttles and conflicts: 5", "Latency (ms, p99): 4",
      "Table latency by operation (ms): 5", "Concurrent executions: 1", "Cost: table units: 3", "Cost: invocations and log bytes: 3",
    ]
    error_message = "The dashboard has these graphs, with as many metrics."
  }

  assert {
    condition = jsondecode(aws_cloudwatch_dashboard.main.dashboard_body).widgets[0].properties.alarms == [
      for name in output.alarm_names : "arn:aws:cloudwatch:eu-central-1:111122223333:alarm:${name}"
    ]
    error_message = "The dashboard shows the state of every alarm."
  }

  assert {
    condition     = alltrue([for w in jsondecode(aws_cloudwatch_dashboard.main.dashboard_body).widgets : lookup(w.properties, "region", "eu-central-1") == "eu-central-1"])
    error_message = "Each graph has the deployment's region."
  }
}

run "existing_topic" {
  command = plan

  variables {
    stage           = "prod"
    alarm_topic_arn = "arn:aws:sns:eu-central-1:111122223333:company-alarms"
  }

  assert {
    condition     = length(aws_sns_topic.alarms) == 0 && length(aws_sns_topic_policy.alarms) == 0 && length(aws_sns_topic_subscription.email) == 0
    error_message = "With an existing topic, no topic is made."
  }

  assert {
    condition     = alltrue([for a in aws_cloudwatch_metric_alarm.service : a.alarm_actions == toset(["arn:aws:sns:eu-central-1:111122223333:company-alarms"])])
    error_message = "The alarms notify the existing topic."
  }
}
