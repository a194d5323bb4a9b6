# Every validation rejects wrong values. A run gives wrong values to several variables, each of which has to be rejected.

mock_provider "aws" {
  source = "./tests/mocks"
}

run "accepts_the_defaults" {
  command = plan
}

run "rejects_an_unknown_stage_and_a_topic_without_an_arn" {
  command         = plan
  expect_failures = [var.stage, var.alarm_topic_arn]

  variables {
    stage           = "production"
    alarm_topic_arn = "alarms"
  }
}

run "rejects_wrong_forms" {
  command = plan
  expect_failures = [
    var.region, var.owner, var.cost_center, var.extra_tags, var.authorizer, var.base_path, var.package_path, var.table_name,
    var.log_level, var.alarm_email, var.emulator_endpoint,
  ]

  variables {
    region            = "Frankfurt"
    owner             = " "
    cost_center       = ""
    extra_tags        = { Project = "other" }
    authorizer        = { type = "none" }
    base_path         = "/push/"
    package_path      = "bootstrap"
    table_name        = "device tokens"
    log_level         = "trace"
    alarm_email       = "on-call"
    emulator_endpoint = "http://localhost:4566/aws"
  }
}

run "rejects_values_below_the_range" {
  command         = plan
  expect_failures = [var.extra_tags, var.authorizer, var.token_ttl_days, var.max_devices, var.reserved_concurrency, var.moved_limit]

  variables {
    extra_tags           = { Env = "other" }
    authorizer           = { type = "cognito" } # no user pools
    token_ttl_days       = 6
    max_devices          = 0
    reserved_concurrency = 0
    moved_limit          = 0
  }
}

run "rejects_values_above_the_range" {
  command         = plan
  expect_failures = [var.extra_tags, var.authorizer, var.token_ttl_days, var.max_devices]

  variables {
    extra_tags     = { Owner = "other" }
    authorizer     = { type = "cognito", user_pool_arns = ["eu-central-1_EXAMPLE"] }
    token_ttl_days = 3651
    max_devices    = 1001
  }
}

run "rejects_fractions" {
  command         = plan
  expect_failures = [var.extra_tags, var.authorizer, var.token_ttl_days, var.max_devices, var.reserved_concurrency]

  variables {
    extra_tags           = { CostCenter = "other" }
    authorizer           = { type = "oidc", audience = "app" } # no issuer
    token_ttl_days       = 7.5
    max_devices          = 1.5
    reserved_concurrency = 1.5
  }
}

run "rejects_alarms_without_a_recipient_in_prod" {
  command         = plan
  expect_failures = [var.alarm_email]

  variables {
    stage = "prod"
  }
}

run "rejects_two_recipients_of_alarms" {
  command         = plan
  expect_failures = [var.alarm_email]

  variables {
    alarm_email     = "a@example.com"
    alarm_topic_arn = "arn:aws:sns:eu-central-1:111122223333:alarms"
  }
}

run "rejects_an_emulator_in_prod" {
  command         = plan
  expect_failures = [var.emulator_endpoint]

  variables {
    stage             = "prod"
    alarm_email       = "a@example.com"
    emulator_endpoint = "http://localhost:4566"
  }
}

run "rejects_a_domain_with_a_path" {
  command         = plan
  expect_failures = [var.custom_domain]

  variables {
    custom_domain = { name = "example.com/push", certificate_arn = "arn:aws:acm:eu-central-1:111122223333:certificate/0a1b2c3d" }
  }
}

run "rejects_a_certificate_and_a_web_acl_of_another_region" {
  command         = plan
  expect_failures = [var.custom_domain, var.web_acl_arn]

  variables {
    custom_domain = { name = "push.example.com", certificate_arn = "arn:aws:acm:us-east-1:111122223333:certificate/0a1b2c3d" }
    web_acl_arn   = "arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/push/0a1b2c3d"
  }
}

run "rejects_a_base_path_of_two_parts_with_a_domain" {
  command         = plan
  expect_failures = [var.custom_domain]

  variables {
    base_path     = "/push/api"
    custom_domain = { name = "api.example.com", certificate_arn = "arn:aws:acm:eu-central-1:111122223333:certificate/0a1b2c3d" }
  }
}

run "rejects_a_web_acl_of_cloudfront" {
  command         = plan
  expect_failures = [var.web_acl_arn]

  variables {
    region      = "us-east-1"
    web_acl_arn = "arn:aws:wafv2:us-east-1:111122223333:global/webacl/push/0a1b2c3d"
  }
}

run "rejects_cognito_with_an_issuer" {
  command         = plan
  expect_failures = [var.authorizer]

  variables {
    authorizer = { type = "cognito", user_pool_arns = ["arn:aws:cognito-idp:eu-central-1:111122223333:userpool/x"], issuer = "https://issuer.example.com" }
  }
}

run "rejects_cognito_with_an_audience" {
  command         = plan
  expect_failures = [var.authorizer]

  variables {
    authorizer = { type = "cognito", user_pool_arns = ["arn:aws:cognito-idp:eu-central-1:111122223333:userpool/x"], audience = "app" }
  }
}

run "rejects_cognito_with_other_audiences" {
  command         = plan
  expect_failures = [var.authorizer]

  variables {
    authorizer = { type = "cognito", user_pool_arns = ["arn:aws:cognito-idp:eu-central-1:111122223333:userpool/x"], other_audiences = ["app"] }
  }
}

run "rejects_an_issuer_without_tls" {
  command         = plan
  expect_failures = [var.authorizer]

  variables {
    authorizer = { type = "oidc", issuer = "http://issuer.example.com", audience = "app" }
  }
}

run "rejects_oidc_without_an_audience" {
  command         = plan
  expect_failures = [var.authorizer]

  variables {
    authorizer = { type = "oidc", issuer = "https://issuer.example.com" }
  }
}

run "rejects_oidc_with_a_user_pool" {
  command         = plan
  expect_failures = [var.authorizer]

  variables {
    authorizer = { type = "oidc", issuer = "https://issuer.example.com", audience = "app", user_pool_arns = ["arn:aws:cognito-idp:eu-central-1:111122223333:userpool/x"] }
  }
}

run "rejects_oidc_with_scopes" {
  command         = plan
  expect_failures = [var.authorizer]

  variables {
    authorizer = { type = "oidc", issuer = "https://issuer.example.com", audience = "app", scopes = ["devices"] }
  }
}

run "rejects_an_unknown_kind_of_token" {
  command         = plan
  expect_failures = [var.authorizer]

  variables {
    authorizer = { type = "oidc", issuer = "https://issuer.example.com", audience = "app", token = "jwt" }
  }
}

run "rejects_metadata_without_tls" {
  command         = plan
  expect_failures = [var.authorizer]

  variables {
    authorizer = { type = "oidc", issuer = "https://issuer.example.com", audience = "app", discovery_url = "http://issuer.example.com/metadata" }
  }
}

run "rejects_keys_beside_metadata" {
  command         = plan
  expect_failures = [var.authorizer]

  variables {
    authorizer = { type = "oidc", issuer = "https://issuer.example.com", audience = "app", keys_url = "https://id.example.com/keys", metadata_issuer = "name" }
  }
}

run "rejects_an_audience_with_a_space" {
  command         = plan
  expect_failures = [var.authorizer]

  variables {
    authorizer = { type = "oidc", issuer = "https://issuer.example.com", audience = "app", other_audiences = ["my app"] }
  }
}

run "rejects_an_unknown_audience_claim" {
  command         = plan
  expect_failures = [var.authorizer]

  variables {
    authorizer = { type = "oidc", issuer = "https://issuer.example.com", audience = "app", audience_claim = "sub" }
  }
}
