# The alarms of the function and the API. The storage module has the alarms of the
# table. There is no alarm on ConditionalCheckFailedRequests, because the first write of
# a new registration has a false condition.
#
# Missing data is not a breach in any alarm: Lambda and API Gateway publish no data
# without requests, and DynamoDB publishes TransactionConflict only for a conflict.
locals {
  function_dimensions = { FunctionName = aws_lambda_function.main.function_name }
  api_dimensions      = { ApiName = aws_api_gateway_rest_api.main.name, Stage = var.stage }
  table_dimensions    = { TableName = module.storage.table_name }

  alarms = {
    function-errors = {
      means      = "The function crashed or timed out. 5xx responses of the function are not counted."
      namespace  = "AWS/Lambda"
      metric     = "Errors"
      dimensions = local.function_dimensions
      statistic  = "Sum"
      threshold  = 0
      periods    = 1
    }
    function-throttles = {
      means      = "Lambda throttled the function because its concurrency limit is reached."
      namespace  = "AWS/Lambda"
      metric     = "Throttles"
      dimensions = local.function_dimensions
      statistic  = "Sum"
      threshold  = 0
      periods    = 1
    }
    function-duration = {
      means      = "A request took more than 80 % of the function's timeout."
      namespace  = "AWS/Lambda"
      metric     = "Duration"
      dimensions = local.function_dimensions
      statistic  = "Maximum"
      threshold  = local.function_timeout_seconds * 1000 * 0.8
      periods    = 1
    }
    # Two launches of an app may conflict now and then. Conflicts for a quarter of an
    # hour mean that a client repeats requests.
    table-conflicts = {
      means      = "Transactions on the device-token table conflict repeatedly."
      namespace  = "AWS/DynamoDB"
      metric     = "TransactionConflict"
      dimensions = local.table_dimensions
      statistic  = "Sum"
      threshold  = 100
      periods    = 3
    }
    # Each move is a phone that another user registered. Many at once come from a leaked
    # list of tokens, or from an app that confuses users.
    moved = {
      means      = "An unusual number of tokens moved to another user within an hour."
      namespace  = local.function_metrics_namespace
      metric     = "Moved"
      dimensions = { Stage = var.stage }
      statistic  = "Sum"
      threshold  = var.moved_limit
      period     = 3600
      periods    = 1
    }
    api-5xx = {
      means      = "The API returns 5XX responses."
      namespace  = "AWS/ApiGateway"
      metric     = "5XXError"
      dimensions = local.api_dimensions
      statistic  = "Sum"
      threshold  = 5
      periods    = 1
    }
    api-latency = {
      means      = "One request in a hundred takes longer than 2 seconds."
      namespace  = "AWS/ApiGateway"
      metric     = "Latency"
      dimensions = local.api_dimensions
      statistic  = "p99"
      threshold  = 2000
      periods    = 3
    }
  }

  alarm_names = sort(concat(
    [for name in keys(local.alarms) : "${local.name}-${name}"],
    module.storage.alarm_names,
  ))
}

resource "aws_cloudwatch_metric_alarm" "service" {
  for_each = local.alarms

  alarm_name        = "${local.name}-${each.key}"
  alarm_description = "${each.value.means} Runbook: docs/infra/device-tokens.md."

  namespace          = each.value.namespace
  metric_name        = each.value.metric
  dimensions         = each.value.dimensions
  statistic          = startswith(each.value.statistic, "p") ? null : each.value.statistic
  extended_statistic = startswith(each.value.statistic, "p") ? each.value.statistic : null
  period             = lookup(each.value, "period", 300)

  evaluation_periods  = each.value.periods
  datapoints_to_alarm = each.value.periods
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.threshold
  treat_missing_data  = "notBreaching"

  alarm_actions = [local.alarm_topic_arn]
  ok_actions    = [local.alarm_topic_arn]
  tags          = local.tags
}

# The topic that the alarms notify.
locals {
  own_topic       = var.alarm_topic_arn == ""
  alarm_topic_arn = local.own_topic ? aws_sns_topic.alarms[0].arn : var.alarm_topic_arn
}

resource "aws_sns_topic" "alarms" {
  count = local.own_topic ? 1 : 0

  name              = "${local.name}-alarms"
  kms_master_key_id = aws_kms_key.main.arn
  tags              = local.tags
}

resource "aws_sns_topic_policy" "alarms" {
  count = local.own_topic ? 1 : 0

  arn = aws_sns_topic.alarms[0].arn

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "AlarmsOfThisAccount"
      Effect    = "Allow"
      Principal = { Service = "cloudwatch.amazonaws.com" }
      Action    = "sns:Publish"
      Resource  = aws_sns_topic.alarms[0].arn
      Condition = {
        StringEquals = { "aws:SourceAccount" = local.account_id }
      }
    }]
  })
}

resource "aws_sns_topic_subscription" "email" {
  count = var.alarm_email != "" ? 1 : 0

  topic_arn = aws_sns_topic.alarms[0].arn
  protocol  = "email"
  endpoint  = var.alarm_email
}
