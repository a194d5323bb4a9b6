# Every validation refuses what it should. The first run shows that what all of
# them begin with is accepted.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  stage       = "dev"
  region      = "eu-central-1"
  owner       = "mobile"
  cost_center = "cc-1"

  authorizer = {
    type           = "cognito"
    user_pool_arns = ["arn:aws:cognito-idp:eu-central-1:111122223333:userpool/eu-central-1_EXAMPLE"]
  }
}

run "accepts_the_rest" {
  command = plan
}

run "refuses_an_unknown_stage" {
  command         = plan
  expect_failures = [var.stage]

  variables {
    stage = "production"
  }
}

run "refuses_a_bad_region" {
  command         = plan
  expect_failures = [var.region]

  variables {
    region = "Frankfurt"
  }
}

run "refuses_an_empty_owner" {
  command         = plan
  expect_failures = [var.owner]

  variables {
    owner = " "
  }
}

run "refuses_an_empty_cost_center" {
  command         = plan
  expect_failures = [var.cost_center]

  variables {
    cost_center = ""
  }
}

run "refuses_replacing_project" {
  command         = plan
  expect_failures = [var.extra_tags]

  variables {
    extra_tags = { Project = "other" }
  }
}

run "refuses_replacing_env" {
  command         = plan
  expect_failures = [var.extra_tags]

  variables {
    extra_tags = { Env = "other" }
  }
}

run "refuses_replacing_owner" {
  command         = plan
  expect_failures = [var.extra_tags]

  variables {
    extra_tags = { Owner = "other" }
  }
}

run "refuses_replacing_cost_center" {
  command         = plan
  expect_failures = [var.extra_tags]

  variables {
    extra_tags = { CostCenter = "other" }
  }
}

run "refuses_an_open_api" {
  command         = plan
  expect_failures = [var.authorizer]

  variables {
    authorizer = { type = "none" }
  }
}

run "refuses_cognito_without_pools" {
  command         = plan
  expect_failures = [var.authorizer]

  variables {
    authorizer = { type = "cognito" }
  }
}

run "refuses_a_user_pool_that_is_none" {
  command         = plan
  expect_failures = [var.authorizer]

  variables {
    authorizer = { type = "cognito", user_pool_arns = ["eu-central-1_EXAMPLE"] }
  }
}

run "refuses_cognito_with_an_issuer" {
  command         = plan
  expect_failures = [var.authorizer]

  variables {
    authorizer = { type = "cognito", user_pool_arns = ["arn:aws:cognito-idp:eu-central-1:111122223333:userpool/eu-central-1_EXAMPLE"], issuer = "https://issuer.example.com" }
  }
}

run "refuses_cognito_with_an_audience" {
  command         = plan
  expect_failures = [var.authorizer]

  variables {
    authorizer = { type = "cognito", user_pool_arns = ["arn:aws:cognito-idp:eu-central-1:111122223333:userpool/eu-central-1_EXAMPLE"], audience = "app" }
  }
}

run "refuses_oidc_without_issuer" {
  command         = plan
  expect_failures = [var.authorizer]

  variables {
    authorizer = { type = "oidc", audience = "app" }
  }
}

run "refuses_an_issuer_without_tls" {
  command         = plan
  expect_failures = [var.authorizer]

  variables {
    authorizer = { type = "oidc", issuer = "http://issuer.example.com", audience = "app" }
  }
}

run "refuses_oidc_without_audience" {
  command         = plan
  expect_failures = [var.authorizer]

  variables {
    authorizer = { type = "oidc", issuer = "https://issuer.example.com" }
  }
}

run "refuses_oidc_with_a_user_pool" {
  command         = plan
  expect_failures = [var.authorizer]

  variables {
    authorizer = { type = "oidc", issuer = "https://issuer.example.com", audience = "app", user_pool_arns = ["arn:aws:cognito-idp:eu-central-1:111122223333:userpool/eu-central-1_EXAMPLE"] }
  }
}

run "refuses_oidc_with_scopes" {
  command         = plan
  expect_failures = [var.authorizer]

  variables {
    authorizer = { type = "oidc", issuer = "https://issuer.example.com", audience = "app", scopes = ["devices"] }
  }
}

run "refuses_an_unknown_token" {
  command         = plan
  expect_failures = [var.authorizer]

  variables {
    authorizer = { type = "oidc", issuer = "https://issuer.example.com", audience = "app", token = "jwt" }
  }
}

run "refuses_cognito_with_the_settings_of_an_issuer" {
  command         = plan
  expect_failures = [var.authorizer]

  variables {
    authorizer = { type = "cognito", user_pool_arns = ["arn:aws:cognito-idp:eu-central-1:111122223333:userpool/eu-central-1_EXAMPLE"], other_audiences = ["app"] }
  }
}

run "refuses_metadata_without_tls" {
  command         = plan
  expect_failures = [var.authorizer]

  variables {
    authorizer = { type = "oidc", issuer = "https://issuer.example.com", audience = "app", discovery_url = "http://issuer.example.com/metadata" }
  }
}

run "refuses_keys_beside_metadata" {
  command         = plan
  expect_failures = [var.authorizer]

  variables {
    authorizer = { type = "oidc", issuer = "https://issuer.example.com", audience = "app", keys_url = "https://id.example.com/keys", metadata_issuer = "name" }
  }
}

run "refuses_an_audience_with_a_space" {
  command         = plan
  expect_failures = [var.authorizer]

  variables {
    authorizer = { type = "oidc", issuer = "https://issuer.example.com", audience = "app", other_audiences = ["my app"] }
  }
}

run "refuses_another_audience_claim" {
  command         = plan
  expect_failures = [var.authorizer]

  variables {
    authorizer = { type = "oidc", issuer = "https://issuer.example.com", audience = "app", audience_claim = "sub" }
  }
}

run "refuses_a_base_path_that_ends_with_a_slash" {
  command         = plan
  expect_failures = [var.base_path]

  variables {
    base_path = "/push/"
  }
}

run "refuses_a_package_that_is_no_zip" {
  command         = plan
  expect_failures = [var.package_path]

  variables {
    package_path = "bootstrap"
  }
}

run "refuses_a_bad_table_name" {
  command         = plan
  expect_failures = [var.table_name]

  variables {
    table_name = "device tokens"
  }
}

run "refuses_a_ttl_below_a_week" {
  command         = plan
  expect_failures = [var.token_ttl_days]

  variables {
    token_ttl_days = 6
  }
}

run "refuses_a_ttl_above_ten_years" {
  command         = plan
  expect_failures = [var.token_ttl_days]

  variables {
    token_ttl_days = 3651
  }
}

run "refuses_a_ttl_of_half_days" {
  command         = plan
  expect_failures = [var.token_ttl_days]

  variables {
    token_ttl_days = 7.5
  }
}

run "refuses_no_devices" {
  command         = plan
  expect_failures = [var.max_devices]

  variables {
    max_devices = 0
  }
}

run "refuses_too_many_devices" {
  command         = plan
  expect_failures = [var.max_devices]

  variables {
    max_devices = 1001
  }
}

run "refuses_half_a_device" {
  command         = plan
  expect_failures = [var.max_devices]

  variables {
    max_devices = 1.5
  }
}

run "refuses_an_unknown_log_level" {
  command         = plan
  expect_failures = [var.log_level]

  variables {
    log_level = "trace"
  }
}

run "refuses_a_concurrency_of_zero" {
  command         = plan
  expect_failures = [var.reserved_concurrency]

  variables {
    reserved_concurrency = 0
  }
}

run "refuses_half_a_concurrency" {
  command         = plan
  expect_failures = [var.reserved_concurrency]

  variables {
    reserved_concurrency = 1.5
  }
}

run "refuses_a_bad_alarm_address" {
  command         = plan
  expect_failures = [var.alarm_email]

  variables {
    alarm_email = "on-call"
  }
}

run "refuses_alarms_that_nobody_hears_in_prod" {
  command         = plan
  expect_failures = [var.alarm_email]

  variables {
    stage = "prod"
  }
}

run "refuses_two_ways_of_alarming" {
  command         = plan
  expect_failures = [var.alarm_email]

  variables {
    alarm_email     = "a@example.com"
    alarm_topic_arn = "arn:aws:sns:eu-central-1:111122223333:alarms"
  }
}

run "refuses_a_topic_that_is_none" {
  command         = plan
  expect_failures = [var.alarm_topic_arn]

  variables {
    alarm_topic_arn = "alarms"
  }
}

run "refuses_an_emulator_with_a_path" {
  command         = plan
  expect_failures = [var.emulator_endpoint]

  variables {
    emulator_endpoint = "http://localhost:4566/aws"
  }
}

run "refuses_an_emulator_in_prod" {
  command         = plan
  expect_failures = [var.emulator_endpoint]

  variables {
    stage             = "prod"
    alarm_email       = "a@example.com"
    emulator_endpoint = "http://localhost:4566"
  }
}

run "refuses_a_domain_with_a_path" {
  command         = plan
  expect_failures = [var.custom_domain]

  variables {
    custom_domain = { name = "example.com/push", certificate_arn = "arn:aws:acm:eu-central-1:111122223333:certificate/0a1b2c3d-1111-2222-3333-444455556666" }
  }
}

run "refuses_a_certificate_elsewhere" {
  command         = plan
  expect_failures = [var.custom_domain]

  variables {
    custom_domain = { name = "push.example.com", certificate_arn = "arn:aws:acm:us-east-1:111122223333:certificate/0a1b2c3d-1111-2222-3333-444455556666" }
  }
}

run "refuses_a_web_acl_of_cloudfront" {
  command         = plan
  expect_failures = [var.web_acl_arn]

  variables {
    region      = "us-east-1"
    web_acl_arn = "arn:aws:wafv2:us-east-1:111122223333:global/webacl/push/0a1b2c3d-1111-2222-3333-444455556666"
  }
}

run "refuses_a_web_acl_elsewhere" {
  command         = plan
  expect_failures = [var.web_acl_arn]

  variables {
    web_acl_arn = "arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/push/0a1b2c3d-1111-2222-3333-444455556666"
  }
}

run "refuses_a_moved_limit_of_zero" {
  command         = plan
  expect_failures = [var.moved_limit]

  variables {
    moved_limit = 0
  }
}

run "refuses_a_base_path_of_two_parts_with_a_domain" {
  command         = plan
  expect_failures = [var.custom_domain]

  variables {
    base_path     = "/push/api"
    custom_domain = { name = "api.example.com", certificate_arn = "arn:aws:acm:eu-central-1:111122223333:certificate/0a1b2c3d-1111-2222-3333-444455556666" }
  }
}
