# The table of registrations and claims: the table of dynamostore.CreateTable with the
# settings for production. A test compares the two.
resource "aws_dynamodb_table" "device_tokens" {
  # checkov:skip=CKV_AWS_119:The key is required and tested; in a plan its ARN is not yet known, which this check takes for none

  name      = var.table_name
  hash_key  = "userId"
  range_key = "deviceId"

  # Traffic follows the time of day and push campaigns, because every app launch is a
  # write. On-demand capacity needs no planning.
  billing_mode = "PAY_PER_REQUEST"
  table_class  = "STANDARD"

  deletion_protection_enabled = var.stage != "dev"

  stream_enabled   = var.stream_view_type != null
  stream_view_type = var.stream_view_type

  attribute {
    name = "userId"
    type = "S"
  }

  attribute {
    name = "deviceId"
    type = "S"
  }

  ttl {
    attribute_name = "expiresAt"
    enabled        = true
  }

  point_in_time_recovery {
    enabled = true
  }

  server_side_encryption {
    enabled     = true
    kms_key_arn = var.kms_key_arn
  }

  tags = var.tags
}
