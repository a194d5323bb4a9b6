# Who may call the routes, what is logged, the gateway's own responses, what makes a deployment, and a domain. The
# comparison of the plans with SST finds other wrong values.

mock_provider "aws" {
  source = "./tests/mocks"
}

run "defaults" {
  assert {
    condition = aws_api_gateway_method_settings.all.method_path == "*/*" && !aws_api_gateway_stage.main.cache_cluster_enabled && jsonencode([
      for s in aws_api_gateway_method_settings.all.settings :
      [s.logging_level, s.data_trace_enabled, s.caching_enabled, s.throttling_burst_limit, s.throttling_rate_limit]
    ]) == jsonencode([["OFF", false, false, 100, 50]])
    error_message = "Every method takes 100 requests at once and 50 a second. There are no execution logs, because they have bodies and so push tokens, and no cache, because each response is for one user."
  }

  assert {
    condition = toset(values(jsondecode(aws_api_gateway_stage.main.access_log_settings[0].format))) == toset([
      "$context.authorizer.error", "$context.error.responseType", "$context.httpMethod", "$context.integration.latency",
      "$context.integration.status", "$context.requestId", "$context.requestTime", "$context.resourcePath",
      "$context.responseLatency", "$context.status",
    ])
    error_message = "The access log has no user, no address and no query."
  }

  assert {
    condition = alltrue([
      for m in aws_api_gateway_method.route :
      m.authorization == "COGNITO_USER_POOLS" && m.authorizer_id == aws_api_gateway_authorizer.cognito[0].id && m.authorization_scopes == null
    ])
    error_message = "Each method uses the authorizer, and takes ID tokens because there are no scopes."
  }

  assert {
    condition     = aws_api_gateway_authorizer.cognito[0].type == "COGNITO_USER_POOLS" && aws_api_gateway_authorizer.cognito[0].provider_arns == toset(var.authorizer.user_pool_arns) && aws_api_gateway_authorizer.cognito[0].identity_source == "method.request.header.Authorization"
    error_message = "The authorizer verifies tokens of the user pools in the Authorization header."
  }

  assert {
    condition     = length(aws_api_gateway_deployment.main.triggers.routes) == 64 && aws_api_gateway_stage.main.deployment_id == aws_api_gateway_deployment.main.id
    error_message = "The stage has the deployment, which has a trigger."
  }

  assert {
    condition = alltrue([
      for k, r in aws_api_gateway_gateway_response.problem :
      r.response_type == k &&
      r.response_parameters["gatewayresponse.header.Content-Type"] == "'application/problem+json'" &&
      r.response_parameters["gatewayresponse.header.Cache-Control"] == "'no-store'" &&
      try(tostring(jsondecode(r.response_templates["application/json"]).status), null) == r.status_code
    ])
    error_message = "The gateway's own responses are problem documents with the response's status, and are not cached."
  }

  # A Go test compares the others with httpapi.
  assert {
    condition = [
      for type in ["ACCESS_DENIED", "BAD_REQUEST_BODY", "BAD_REQUEST_PARAMETERS", "DEFAULT_4XX", "THROTTLED", "WAF_FILTERED"] :
      aws_api_gateway_gateway_response.problem[type].status_code
    ] == ["403", "400", "400", "400", "429", "403"]
    error_message = "The gateway's own responses have these statuses."
  }
}

# Each run has the state of the previous one, as a second apply has.

run "deployment_again" {
  command = plan

  assert {
    condition     = aws_api_gateway_deployment.main.triggers.routes == run.defaults.deployment_trigger
    error_message = "A second plan makes no second deployment."
  }
}

run "deployment_with_other_alarms" {
  variables {
    alarm_email = "team@example.com"
    max_devices = 5
  }

  assert {
    condition     = aws_api_gateway_deployment.main.triggers.routes == run.defaults.deployment_trigger
    error_message = "Changes outside the routes make no deployment."
  }
}

run "deployment_with_scopes" {
  variables {
    authorizer = {
      type           = "cognito"
      user_pool_arns = ["arn:aws:cognito-idp:eu-central-1:111122223333:userpool/eu-central-1_EXAMPLE"]
      scopes         = ["devices/write"]
    }
  }

  assert {
    condition     = aws_api_gateway_deployment.main.triggers.routes != run.defaults.deployment_trigger
    error_message = "A changed route makes a deployment."
  }

  assert {
    condition     = alltrue([for m in aws_api_gateway_method.route : m.authorization_scopes == toset(["devices/write"])])
    error_message = "Each method requires the scopes."
  }
}

run "deployment_with_another_user_pool" {
  variables {
    authorizer = {
      type           = "cognito"
      user_pool_arns = ["arn:aws:cognito-idp:eu-central-1:111122223333:userpool/eu-central-1_OTHER"]
    }
  }

  assert {
    condition     = aws_api_gateway_deployment.main.triggers.routes != run.defaults.deployment_trigger
    error_message = "A changed authorizer makes a deployment."
  }
}

run "domain" {
  variables {
    custom_domain = {
      name            = "push.example.com"
      certificate_arn = "arn:aws:acm:eu-central-1:111122223333:certificate/0a1b2c3d-1111-2222-3333-444455556666"
    }
  }

  assert {
    condition     = aws_api_gateway_domain_name.main[0].security_policy == "TLS_1_2" && aws_api_gateway_domain_name.main[0].endpoint_configuration[0].types == tolist(["REGIONAL"])
    error_message = "The domain rejects TLS below 1.2, in the API's region."
  }

  assert {
    condition     = aws_api_gateway_rest_api.main.disable_execute_api_endpoint && aws_api_gateway_deployment.main.triggers.routes != run.defaults.deployment_trigger
    error_message = "With a domain the default endpoint is disabled, which takes a deployment."
  }

  assert {
    condition = (
      aws_api_gateway_base_path_mapping.main[0].domain_name == "push.example.com" &&
      aws_api_gateway_base_path_mapping.main[0].api_id == aws_api_gateway_rest_api.main.id &&
      aws_api_gateway_base_path_mapping.main[0].stage_name == "dev" &&
      aws_api_gateway_base_path_mapping.main[0].base_path == null
    )
    error_message = "The domain maps to the stage, without a base path."
  }

  assert {
    condition     = output.api_url == "https://push.example.com" && output.domain_target.name == aws_api_gateway_domain_name.main[0].regional_domain_name
    error_message = "The outputs have the domain's address and the target of its record."
  }
}

run "domain_with_a_base_path" {
  command = plan

  variables {
    base_path = "/push"

    custom_domain = {
      name                  = "api.example.com"
      certificate_arn       = "arn:aws:acm:eu-central-1:111122223333:certificate/0a1b2c3d-1111-2222-3333-444455556666"
      keep_default_endpoint = true
    }
  }

  assert {
    condition     = aws_api_gateway_base_path_mapping.main[0].base_path == "push" && output.api_url == "https://api.example.com/push"
    error_message = "The domain maps to the stage at the base path."
  }

  assert {
    condition     = !aws_api_gateway_rest_api.main.disable_execute_api_endpoint
    error_message = "The default endpoint stays enabled with keep_default_endpoint."
  }
}

run "oidc" {
  variables {
    authorizer = {
      type     = "oidc"
      issuer   = "https://issuer.example.com/tenant"
      audience = "device-tokens"
      token    = "cognito-access"
    }
  }

  assert {
    condition     = aws_api_gateway_deployment.main.triggers.routes != run.defaults.deployment_trigger
    error_message = "Another type of authorizer makes a deployment."
  }

  assert {
    condition     = length(aws_api_gateway_authorizer.cognito) == 0 && alltrue([for m in aws_api_gateway_method.route : m.authorization == "NONE"])
    error_message = "With oidc the gateway does not verify the token."
  }
}

run "oidc_settings" {
  command = plan

  variables {
    base_path = "/push/api"
    authorizer = {
      type            = "oidc"
      issuer          = "name"
      audience        = "ios"
      token           = "access"
      other_audiences = ["android", "web"]
      audience_claim  = "azp"
      algorithms      = ["EdDSA", "ES256"]
      discovery_url   = "https://id.example.com/metadata?p=policy"
      metadata_issuer = "https://id.example.com/"
    }
  }

  assert {
    condition = {
      for name, value in aws_lambda_function.main.environment[0].variables : trimprefix(name, "DEVICE_TOKEN_") => value
      if strcontains(name, "_OIDC_") || strcontains(name, "_BASE_")
      } == {
      BASE_PATH            = "/push/api"
      OIDC_ISSUER          = "name"
      OIDC_AUDIENCE        = "ios"
      OIDC_TOKEN           = "access"
      OIDC_OTHER_AUDIENCES = "android web"
      OIDC_AUDIENCE_CLAIM  = "azp"
      OIDC_ALGORITHMS      = "EdDSA ES256"
      OIDC_DISCOVERY_URL   = "https://id.example.com/metadata?p=policy"
      OIDC_METADATA_ISSUER = "https://id.example.com/"
    }
    error_message = "The function gets the issuer's settings and the base path."
  }
}

run "oidc_keys" {
  command = plan

  variables {
    authorizer = { type = "oidc", issuer = "name", audience = "app", keys_url = "https://id.example.com/keys" }
  }

  assert {
    condition     = aws_lambda_function.main.environment[0].variables.DEVICE_TOKEN_OIDC_KEYS_URL == "https://id.example.com/keys"
    error_message = "The function gets the address of the keys."
  }
}
