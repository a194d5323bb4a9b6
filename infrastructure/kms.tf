# One key for the table, the logs and the alarm topic. Its policy allows the account to
# administer the key, and each service to use it for its purpose. No principal, not even
# an administrator, can decrypt with it directly.
locals {
  # SST shares these actions.
  key_actions = jsondecode(file("${path.module}/key-actions.json"))

  # In a key policy "*" is the key itself. The account's root principal means all
  # principals of the account to which IAM grants the same.
  key_policy = {
    Version = "2012-10-17"
    Statement = concat([
      {
        Sid       = "Administration"
        Effect    = "Allow"
        Principal = { AWS = "arn:${local.partition}:iam::${local.account_id}:root" }
        Action    = local.key_actions.administration
        Resource  = "*"
      },
      {
        # DynamoDB uses the key on behalf of its caller, and creates its grants on
        # behalf of the principal that creates the table.
        Sid       = "TableThroughDynamoDB"
        Effect    = "Allow"
        Principal = { AWS = "arn:${local.partition}:iam::${local.account_id}:root" }
        Action    = concat(["kms:CreateGrant"], local.key_actions.use)
        Resource  = "*"
        Condition = {
          StringEquals = {
            "kms:CallerAccount" = local.account_id
            "kms:ViaService"    = "dynamodb.${var.region}.amazonaws.com"
          }
        }
      },
      {
        Sid       = "LogGroups"
        Effect    = "Allow"
        Principal = { Service = "logs.${var.region}.amazonaws.com" }
        Action    = local.key_actions.use
        Resource  = "*"
        Condition = {
          ArnEquals = {
            "kms:EncryptionContext:aws:logs:arn" = [
              "${local.logs_arn_prefix}:${local.access_log_group}",
              "${local.logs_arn_prefix}:${local.function_log_group}",
            ]
          }
        }
      },
      ], local.own_topic ? [{
        # Without this, CloudWatch cannot publish to the encrypted topic, and alarms
        # would send no notification.
        Sid       = "AlarmsToTopic"
        Effect    = "Allow"
        Principal = { Service = "cloudwatch.amazonaws.com" }
        Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource  = "*"
        Condition = {
          StringEquals = { "aws:SourceAccount" = local.account_id }
        }
    }] : [])
  }
}

resource "aws_kms_key" "main" {
  description             = "Device tokens (${var.stage}): table, logs and alarms"
  key_usage               = "ENCRYPT_DECRYPT"
  enable_key_rotation     = true
  deletion_window_in_days = var.stage == "dev" ? 7 : 30
  policy                  = jsonencode(local.key_policy)
  tags                    = local.tags
}

resource "aws_kms_alias" "main" {
  name          = "alias/${local.name}"
  target_key_id = aws_kms_key.main.key_id
}
