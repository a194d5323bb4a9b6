# The whole system: the table (modules/storage), the function that serves httpapi
# (function.tf), the REST API (api.tf, responses.tf), the KMS key (kms.tf), and
# the monitoring (alarms.tf, dashboard.tf).

# With an emulator, all services use its URL, and the provider skips the checks that
# need AWS. Credentials come from the environment; an emulator accepts any.
provider "aws" {
  region = var.region

  skip_credentials_validation = local.emulated
  skip_metadata_api_check     = local.emulated
  skip_region_validation      = local.emulated

  dynamic "endpoints" {
    for_each = local.emulated ? [var.emulator_endpoint] : []

    content {
      apigateway = endpoints.value
      cloudwatch = endpoints.value
      dynamodb   = endpoints.value
      iam        = endpoints.value
      kms        = endpoints.value
      lambda     = endpoints.value
      logs       = endpoints.value
      sns        = endpoints.value
      sts        = endpoints.value
      wafv2      = endpoints.value
    }
  }
}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  project  = "device-tokens"
  name     = "${local.project}-${var.stage}"
  emulated = var.emulator_endpoint != ""

  # Defaults and limits that SST shares. A test compares them with package store.
  limits = jsondecode(file("${path.module}/limits.json"))

  table_name = var.table_name != "" ? var.table_name : local.name

  partition  = data.aws_partition.current.partition
  account_id = data.aws_caller_identity.current.account_id

  # Names instead of references prevent a cycle: the key's policy names the log groups,
  # which are encrypted with the key.
  function_log_group = "/aws/lambda/${local.name}"
  access_log_group   = "/aws/apigateway/${local.name}"
  logs_arn_prefix    = "arn:${local.partition}:logs:${var.region}:${local.account_id}:log-group"

  log_retention_days = { dev = 14, stage = 30, prod = 90 }[var.stage]

  tags = merge(var.extra_tags, {
    Project    = local.project
    Env        = var.stage
    Owner      = var.owner
    CostCenter = var.cost_center
  })
}

module "storage" {
  source = "./modules/storage"

  stage            = var.stage
  table_name       = local.table_name
  kms_key_arn      = aws_kms_key.main.arn
  stream_view_type = var.stream_view_type
  read_limit       = var.read_limit
  write_limit      = var.write_limit
  alarm_topic_arns = [local.alarm_topic_arn]
  tags             = local.tags
}
