# The alarms of the function and the API. The storage module has the alarms of the
# table. There is no alarm on ConditionalCheckFailedRequests, because the first write of
# a new registration has a false condition.
#
# Missing data is not a breach in any alarm: Lambda and API Gateway publish no data
# without requests, and DynamoDB publishes TransactionConflict only for a conflict.
#
# Two launches of an app may conflict now and then; conflicts for a quarter of an hour mean
# that a client repeats requests. Each move is a phone that another user registered: many
# at once come from a leaked list of tokens, or from an app that confuses users.
locals {
  # The alarms, the graphs and the fields of the access log, which SST shares.
  monitoring = jsondecode(file("${path.module}/monitoring.json"))

  # The metrics of each "of" in monitoring.json.
  metrics_of = {
    api       = { namespace = "AWS/ApiGateway", dimensions = [{ ApiName = local.name, Stage = var.stage }] }
    function  = { namespace = "AWS/Lambda", dimensions = [{ FunctionName = local.name }] }
    logs      = { namespace = "AWS/Logs", dimensions = [for group in [local.access_log_group, local.function_log_group] : { LogGroupName = group }] }
    operation = { namespace = "AWS/DynamoDB", dimensions = [for operation in module.storage.operations : { Operation = operation, TableName = local.table_name }] }
    stage     = { namespace = "DeviceTokens", dimensions = [{ Stage = var.stage }] }
    table     = { namespace = "AWS/DynamoDB", dimensions = [{ TableName = local.table_name }] }
  }

  alarms = {
    for name, alarm in local.monitoring.alarms : name => merge({ period = 300, periods = 1, threshold = var.moved_limit }, alarm)
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

  namespace          = local.metrics_of[each.value.of].namespace
  metric_name        = each.value.metric
  dimensions         = local.metrics_of[each.value.of].dimensions[0]
  statistic          = startswith(each.value.statistic, "p") ? null : each.value.statistic
  extended_statistic = startswith(each.value.statistic, "p") ? each.value.statistic : null
  period             = each.value.period

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
