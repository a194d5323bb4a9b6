variable "stage" {
  description = "The deployment stage. Deletion protection is on, except in dev."
  type        = string

  validation {
    condition     = contains(["dev", "stage", "prod"], var.stage)
    error_message = "The stage is dev, stage or prod."
  }
}

variable "table_name" {
  description = "Name of the DynamoDB table."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_.-]{3,255}$", var.table_name))
    error_message = "A table name has 3 to 255 letters, digits, underscores, hyphens and dots."
  }
}

variable "kms_key_arn" {
  description = "KMS key of the table. With its ID or an alias each plan would differ, because DynamoDB returns the ARN."
  type        = string

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$", var.kms_key_arn))
    error_message = "A KMS key ARN looks like arn:aws:kms:eu-central-1:111122223333:key/…."
  }
}

variable "stream_view_type" {
  description = "View type of the table's stream; null for no stream. A view with images contains push tokens, so its readers have access to credentials."
  type        = string
  default     = null

  validation {
    condition     = var.stream_view_type == null ? true : contains(["KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES"], var.stream_view_type)
    error_message = "The stream's view is KEYS_ONLY, NEW_IMAGE, OLD_IMAGE or NEW_AND_OLD_IMAGES, or null for no stream."
  }
}

variable "read_limit" {
  description = "Threshold of an alarm on read units per second, averaged over a minute; null for no alarm. It does not limit reads: see the runbook."
  type        = number
  default     = null

  validation {
    condition     = var.read_limit == null ? true : var.read_limit >= 1
    error_message = "The read limit is at least 1 unit a second, or null."
  }
}

variable "write_limit" {
  description = "Threshold of an alarm on write units per second, averaged over a minute; null for no alarm. It does not limit writes: see the runbook."
  type        = number
  default     = null

  validation {
    condition     = var.write_limit == null ? true : var.write_limit >= 1
    error_message = "The write limit is at least 1 unit a second, or null."
  }
}

variable "alarm_topic_arns" {
  description = "SNS topics that are notified when an alarm begins and ends."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.alarm_topic_arns : can(regex("^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+$", arn))])
    error_message = "An SNS topic ARN looks like arn:aws:sns:eu-central-1:111122223333:alarms."
  }
}

variable "tags" {
  description = "Tags of all resources in this module."
  type        = map(string)

  validation {
    condition     = alltrue([for key in ["Project", "Env", "Owner", "CostCenter"] : trimspace(lookup(var.tags, key, "")) != ""])
    error_message = "The tags Project, Env, Owner and CostCenter are required and must not be empty."
  }
}
