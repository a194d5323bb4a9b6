output "table_name" {
  description = "Name of the table."
  value       = aws_dynamodb_table.device_tokens.name
}

output "table_arn" {
  description = "ARN of the table."
  value       = aws_dynamodb_table.device_tokens.arn
}

output "table_id" {
  description = "ID of the table, which is its name."
  value       = aws_dynamodb_table.device_tokens.id
}

output "table_stream_arn" {
  description = "ARN of the table's stream; null without one."
  value       = var.stream_view_type == null ? null : aws_dynamodb_table.device_tokens.stream_arn
}

output "operations" {
  description = "DynamoDB operations in use. Some metrics exist for each operation."
  value       = local.operations
}

output "alarm_names" {
  description = "Names of the table's alarms, sorted."
  value       = sort(concat([for alarm in aws_cloudwatch_metric_alarm.table : alarm.alarm_name], [aws_cloudwatch_metric_alarm.system_errors.alarm_name]))
}
