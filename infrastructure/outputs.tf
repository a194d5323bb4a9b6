output "api_url" {
  description = "URL of the API, to which the path of a route is appended, such as GET <api_url>/v1/device-tokens. It includes the stage unless there is a custom domain."
  value       = local.own_domain ? "https://${var.custom_domain.name}${var.base_path}" : aws_api_gateway_stage.main.invoke_url
}

output "domain_target" {
  description = "Target of a DNS alias record for the custom domain; null without one."
  value = local.own_domain ? {
    name    = aws_api_gateway_domain_name.main[0].regional_domain_name
    zone_id = aws_api_gateway_domain_name.main[0].regional_zone_id
  } : null
}

output "table_name" {
  description = "Name of the table."
  value       = module.storage.table_name
}

output "table_arn" {
  description = "ARN of the table."
  value       = module.storage.table_arn
}

output "table_id" {
  description = "ID of the table."
  value       = module.storage.table_id
}

output "table_stream_arn" {
  description = "ARN of the table's stream; null without one."
  value       = module.storage.table_stream_arn
}

output "kms_key_arn" {
  description = "ARN of the KMS key of the table, the logs and the alarm topic."
  value       = aws_kms_key.main.arn
}

output "function_name" {
  description = "Name of the function."
  value       = aws_lambda_function.main.function_name
}

output "log_groups" {
  description = "Log groups of the function and of the API's access log."
  value = {
    access   = aws_cloudwatch_log_group.access.name
    function = aws_cloudwatch_log_group.function.name
  }
}

output "alarm_topic_arn" {
  description = "ARN of the SNS topic of the alarms."
  value       = local.alarm_topic_arn
}

output "alarm_names" {
  description = "Names of all alarms, sorted."
  value       = local.alarm_names
}

output "dashboard_name" {
  description = "Name of the CloudWatch dashboard."
  value       = aws_cloudwatch_dashboard.main.dashboard_name
}

output "deployment_trigger" {
  description = "Digest of the deployed routes. It changes when a route changes."
  value       = aws_api_gateway_deployment.main.triggers.routes
}

output "api_stage_arn" {
  description = "ARN of the API's stage."
  value       = aws_api_gateway_stage.main.arn
}

output "drift_policy" {
  description = "IAM policy for the role of the drift workflow, as JSON. It allows reading the configuration of this deployment, but no data."
  value       = jsonencode(local.drift_policy)
}

output "table_actions" {
  description = "IAM actions of the function on the table, without the prefix dynamodb:."
  value       = [for action in local.table_actions : trimprefix(action, "dynamodb:")]
}
