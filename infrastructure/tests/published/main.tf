# The metrics that AWS publishes, as far as they are used here, with the
# dimensions under which each exists: an alarm on other dimensions never fires.
# Written from AWS's pages "Amazon DynamoDB metrics and dimensions", "Types of
# metrics for Lambda functions", "Amazon API Gateway dimensions and metrics" and
# "Monitoring CloudWatch Logs with CloudWatch metrics", in November 2026. The
# last namespace is the function's own.

terraform {
  required_version = ">= 1.9"
}

locals {
  on_table      = { dimensions = "TableName", statistics = ["Sum", "SampleCount"] }
  on_operation  = { dimensions = "Operation,TableName", statistics = ["Sum", "SampleCount"] }
  on_function   = { dimensions = "FunctionName", statistics = ["Sum"] }
  on_api        = { dimensions = "ApiName,Stage", statistics = ["Sum", "Average"] }
  api_latency   = { dimensions = "ApiName,Stage", statistics = ["Average", "Minimum", "Maximum", "p99"] }
  own_count     = { dimensions = "Stage", statistics = ["Sum"] }
  table_units   = { dimensions = "TableName", statistics = ["Sum", "Average", "Minimum", "Maximum", "SampleCount"] }
  concurrencies = { dimensions = "FunctionName", statistics = ["Maximum"] }
}

output "metrics" {
  value = {
    "AWS/DynamoDB/ConsumedReadCapacityUnits"  = local.table_units
    "AWS/DynamoDB/ConsumedWriteCapacityUnits" = local.table_units
    "AWS/DynamoDB/ReadThrottleEvents"         = local.on_table
    "AWS/DynamoDB/SuccessfulRequestLatency" = {
      dimensions = "Operation,TableName"
      statistics = ["Average", "Minimum", "Maximum", "Sum", "SampleCount", "p99"]
    }
    "AWS/DynamoDB/SystemErrors"               = local.on_operation
    "AWS/DynamoDB/ThrottledRequests"          = local.on_operation
    "AWS/DynamoDB/TimeToLiveDeletedItemCount" = { dimensions = "TableName", statistics = ["Sum"] }
    "AWS/DynamoDB/TransactionConflict" = {
      dimensions = "TableName"
      statistics = ["Average", "Minimum", "Maximum", "Sum", "SampleCount"]
    }
    "AWS/DynamoDB/WriteThrottleEvents" = local.on_table

    "AWS/Lambda/ConcurrentExecutions" = local.concurrencies
    "AWS/Lambda/Duration" = {
      dimensions = "FunctionName"
      statistics = ["Average", "Minimum", "Maximum", "p99"]
    }
    "AWS/Lambda/Errors"      = local.on_function
    "AWS/Lambda/Invocations" = local.on_function
    "AWS/Lambda/Throttles"   = local.on_function

    "AWS/ApiGateway/4XXError"           = local.on_api
    "AWS/ApiGateway/5XXError"           = local.on_api
    "AWS/ApiGateway/Count"              = { dimensions = "ApiName,Stage", statistics = ["Sum", "SampleCount"] }
    "AWS/ApiGateway/IntegrationLatency" = local.api_latency
    "AWS/ApiGateway/Latency"            = local.api_latency

    "AWS/Logs/IncomingBytes" = { dimensions = "LogGroupName", statistics = ["Sum"] }

    "DeviceTokens/Created"      = local.own_count
    "DeviceTokens/Deactivated"  = local.own_count
    "DeviceTokens/Erased"       = local.own_count
    "DeviceTokens/Moved"        = local.own_count
    "DeviceTokens/Refreshed"    = local.own_count
    "DeviceTokens/Rejected"     = local.own_count
    "DeviceTokens/TryAgain"     = local.own_count
    "DeviceTokens/StoreLatency" = { dimensions = "Stage", statistics = ["Average", "Minimum", "Maximum", "p99"] }
  }
}
