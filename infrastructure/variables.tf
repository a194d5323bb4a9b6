variable "stage" {
  description = "The deployment stage, which is part of every name and the API's stage."
  type        = string

  validation {
    condition     = contains(["dev", "stage", "prod"], var.stage)
    error_message = "The stage is dev, stage or prod."
  }
}

variable "region" {
  description = "The AWS region. Registering a token in two regions is not supported."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "A region looks like eu-central-1."
  }
}

variable "owner" {
  description = "The responsible team: the tag Owner of every resource."
  type        = string

  validation {
    condition     = trimspace(var.owner) != ""
    error_message = "The owner must not be empty."
  }
}

variable "cost_center" {
  description = "The cost centre: the tag CostCenter of every resource."
  type        = string

  validation {
    condition     = trimspace(var.cost_center) != ""
    error_message = "The cost centre must not be empty."
  }
}

variable "extra_tags" {
  description = "Additional tags of every resource."
  type        = map(string)
  default     = {}

  validation {
    condition     = length(setintersection(keys(var.extra_tags), ["Project", "Env", "Owner", "CostCenter"])) == 0
    error_message = "The tags Project, Env, Owner and CostCenter are set from other variables: remove them."
  }
}

variable "authorizer" {
  description = <<-EOT
    How requests are authenticated.

    type = "cognito": API Gateway verifies tokens of the user pools in
    user_pool_arns. Without scopes it takes ID tokens, with scopes access tokens
    that have one of them.

    type = "oidc": the function verifies bearer tokens of one issuer for one
    audience. token is the kind: "standard" (aud names the audience), "access" (the
    same, and the header typ is at+jwt), "cognito-access" (client_id, and token_use
    is access) or "cognito-id". The other settings are for issuers that need them:
    examples/lambda/README.md lists them, httpapi/oidcauth/doc.go the issuers.
  EOT

  type = object({
    type            = string
    user_pool_arns  = optional(list(string), [])
    scopes          = optional(list(string), [])
    issuer          = optional(string, "")
    audience        = optional(string, "")
    token           = optional(string, "standard")
    other_audiences = optional(list(string), [])
    audience_claim  = optional(string, "")
    algorithms      = optional(list(string), [])
    discovery_url   = optional(string, "")
    metadata_issuer = optional(string, "")
    keys_url        = optional(string, "")
  })

  validation {
    condition     = contains(["cognito", "oidc"], var.authorizer.type)
    error_message = "The authorizer's type is cognito or oidc."
  }

  validation {
    condition = var.authorizer.type != "cognito" || (
      length(var.authorizer.user_pool_arns) > 0 && alltrue([
        for arn in var.authorizer.user_pool_arns :
        can(regex("^arn:aws[a-z-]*:cognito-idp:[a-z0-9-]+:[0-9]{12}:userpool/[A-Za-z0-9_-]+$", arn))
    ]))
    error_message = "A cognito authorizer needs user_pool_arns like arn:aws:cognito-idp:eu-central-1:111122223333:userpool/eu-central-1_AbCdEfGhI."
  }

  validation {
    condition     = var.authorizer.type != "cognito" || alltrue([for name, value in var.authorizer : length(value) == 0 if !contains(["type", "token", "user_pool_arns", "scopes"], name)])
    error_message = "A cognito authorizer has only user_pool_arns and scopes: the user pool is the issuer and the audience."
  }

  validation {
    condition     = var.authorizer.type != "oidc" || can(regex("^https://[^ ?#]+$", var.authorizer.issuer)) || (var.authorizer.issuer != "" && "${var.authorizer.discovery_url}${var.authorizer.keys_url}" != "")
    error_message = "An oidc authorizer needs an https issuer without query or fragment. With discovery_url or keys_url, the issuer may be any text."
  }

  validation {
    condition     = alltrue([for url in [var.authorizer.discovery_url, var.authorizer.keys_url] : can(regex("^(https://[^ #]+)?$", url))])
    error_message = "discovery_url and keys_url are https addresses without a fragment."
  }

  validation {
    condition     = var.authorizer.keys_url == "" || "${var.authorizer.discovery_url}${var.authorizer.metadata_issuer}" == ""
    error_message = "With keys_url no metadata is read: leave out discovery_url and metadata_issuer."
  }

  validation {
    condition     = alltrue([for word in concat(var.authorizer.other_audiences, var.authorizer.algorithms) : can(regex("^[^ ]+$", word))])
    error_message = "other_audiences and algorithms must not have empty entries or spaces, because the function's environment separates them by spaces."
  }

  validation {
    condition     = var.authorizer.type != "oidc" || trimspace(var.authorizer.audience) != ""
    error_message = "An oidc authorizer needs an audience."
  }

  validation {
    condition     = var.authorizer.type != "oidc" || (length(var.authorizer.user_pool_arns) == 0 && length(var.authorizer.scopes) == 0)
    error_message = "An oidc authorizer must not have user_pool_arns or scopes, because the function verifies the token."
  }

  validation {
    condition     = contains(["standard", "access", "cognito-access", "cognito-id"], var.authorizer.token)
    error_message = "The token is standard, access, cognito-access or cognito-id."
  }

  validation {
    condition     = contains(["", "aud", "azp", "client_id", "cid"], var.authorizer.audience_claim)
    error_message = "The audience_claim is aud, azp, client_id or cid."
  }
}

variable "base_path" {
  description = "Base path of the custom domain's API mapping; empty for none."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$", var.base_path))
    error_message = "The base path is like /push: each segment begins with a slash and has letters, digits and ._-"
  }
}

variable "package_path" {
  description = "Zip file of the function, built by `make lambda`. A relative path is relative to this folder. A plan works without the file, an apply does not."
  type        = string
  default     = "../examples/lambda/dist/device-tokens-arm64.zip"

  validation {
    condition     = endswith(var.package_path, ".zip")
    error_message = "The package is a zip file."
  }
}

variable "custom_domain" {
  description = "Custom domain of the API, with the ARN of its ACM certificate; null for AWS's default endpoint, which accepts TLS 1.0. With a domain, the minimum is TLS 1.2 and the default endpoint is disabled: set keep_default_endpoint while apps still use it."
  type = object({
    name                  = string
    certificate_arn       = string
    keep_default_endpoint = optional(bool, false)
  })
  default = null

  validation {
    condition     = var.custom_domain == null ? true : can(regex("^([a-z0-9-]+\\.)+[a-z]{2,}$", var.custom_domain.name))
    error_message = "The domain's name looks like push.example.com, in lower case."
  }

  validation {
    condition     = var.custom_domain == null || !can(regex("^/.*/", var.base_path))
    error_message = "With custom_domain the base path has one segment, like /push: API Gateway's mapping of a REST API supports no more."
  }

  validation {
    condition     = var.custom_domain == null ? true : can(regex("^arn:aws[a-z-]*:acm:${var.region}:[0-9]{12}:certificate/[A-Za-z0-9-]+$", var.custom_domain.certificate_arn))
    error_message = "The domain's certificate is an ARN like arn:aws:acm:eu-central-1:111122223333:certificate/0a1b2c3d-1111-2222-3333-444455556666, in the region of the API."
  }
}

variable "web_acl_arn" {
  description = "ARN of an AWS WAF web ACL for the API; empty for none. It can limit each client, while the API's throttle limits all clients together."
  type        = string
  default     = ""

  validation {
    condition     = var.web_acl_arn == "" || can(regex("^arn:aws[a-z-]*:wafv2:${var.region}:[0-9]{12}:regional/webacl/[A-Za-z0-9_-]+/[A-Za-z0-9-]+$", var.web_acl_arn))
    error_message = "A web ACL is an ARN like arn:aws:wafv2:eu-central-1:111122223333:regional/webacl/push/0a1b2c3d-1111-2222-3333-444455556666: of AWS WAF v2, regional, in the region of the API."
  }
}

variable "token_ttl_days" {
  description = "Lifetime of a registration after the app's last launch, in days; null for the default in limits.json."
  type        = number
  default     = null

  validation {
    condition = var.token_ttl_days == null ? true : (
      var.token_ttl_days >= local.limits.tokenTtlDays.least &&
      var.token_ttl_days <= local.limits.tokenTtlDays.most &&
      floor(var.token_ttl_days) == var.token_ttl_days
    )
    error_message = "Registrations live for a whole number of days, ${local.limits.tokenTtlDays.least} to ${local.limits.tokenTtlDays.most}."
  }
}

variable "max_devices" {
  description = "Maximum number of registered devices of one user; null for the default in limits.json."
  type        = number
  default     = null

  validation {
    condition = var.max_devices == null ? true : (
      var.max_devices >= local.limits.maxDevices.least &&
      var.max_devices <= local.limits.maxDevices.most &&
      floor(var.max_devices) == var.max_devices
    )
    error_message = "A user may have ${local.limits.maxDevices.least} to ${local.limits.maxDevices.most} devices."
  }
}

variable "log_level" {
  description = "Minimum level of the function's log."
  type        = string
  default     = "info"

  validation {
    condition     = contains(["debug", "info", "warn", "error"], var.log_level)
    error_message = "The log level is debug, info, warn or error."
  }
}

variable "reserved_concurrency" {
  description = "Reserved concurrency of the function, which is also its maximum; -1 for the account's shared pool."
  type        = number
  default     = -1

  validation {
    condition     = (var.reserved_concurrency == -1 || var.reserved_concurrency >= 1) && floor(var.reserved_concurrency) == var.reserved_concurrency
    error_message = "The reserved concurrency is a whole number of at least 1, or -1 for none."
  }
}

variable "table_name" {
  description = "Name of the table; empty for device-tokens-STAGE. Set it to switch to a restored table: see the runbook."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^([A-Za-z0-9_.-]{3,255})?$", var.table_name))
    error_message = "A table name has 3 to 255 letters, digits, underscores, hyphens and dots."
  }
}

variable "stream_view_type" {
  description = "View type of the table's stream; null for no stream."
  type        = string
  default     = null
}

variable "read_limit" {
  description = "Threshold of an alarm on read units per second; null for no alarm."
  type        = number
  default     = null
}

variable "write_limit" {
  description = "Threshold of an alarm on write units per second; null for no alarm."
  type        = number
  default     = null
}

variable "moved_limit" {
  description = "Threshold of an alarm on the number of tokens that move to another user in an hour. Set it above your usual number."
  type        = number
  default     = 100

  validation {
    condition     = var.moved_limit >= 1
    error_message = "The limit on moved registrations is at least 1 an hour."
  }
}

variable "alarm_email" {
  description = "E-mail address for alarms, which must confirm the subscription; empty for none."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^([^@ ]+@[^@ ]+\\.[^@ ]+)?$", var.alarm_email))
    error_message = "The alarm address is an e-mail address, or empty."
  }

  validation {
    condition     = var.stage != "prod" || var.alarm_email != "" || var.alarm_topic_arn != ""
    error_message = "Alarms in prod need a recipient: set alarm_email or alarm_topic_arn."
  }

  validation {
    condition     = var.alarm_topic_arn == "" || var.alarm_email == ""
    error_message = "Set alarm_topic_arn or alarm_email, not both: the subscribers of an existing topic are managed elsewhere."
  }
}

variable "alarm_topic_arn" {
  description = "ARN of an existing SNS topic for alarms; empty to create one. An existing topic must allow CloudWatch to publish, and to use its key if it is encrypted."
  type        = string
  default     = ""

  validation {
    condition     = var.alarm_topic_arn == "" || can(regex("^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+$", var.alarm_topic_arn))
    error_message = "An SNS topic ARN looks like arn:aws:sns:eu-central-1:111122223333:alarms."
  }
}

variable "manage_api_gateway_account" {
  description = "Whether to set the role with which API Gateway writes access logs. All APIs in an account and region share it: set it in at most one deployment, and only if nothing else does."
  type        = bool
  default     = false
}

variable "emulator_endpoint" {
  description = "URL of an AWS emulator for all services; empty for AWS."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^(https?://[A-Za-z0-9.-]+(:[0-9]+)?)?$", var.emulator_endpoint))
    error_message = "The emulator's endpoint looks like http://localhost:4566."
  }

  validation {
    condition     = var.emulator_endpoint == "" || var.stage == "dev"
    error_message = "An emulator needs the stage dev."
  }
}
