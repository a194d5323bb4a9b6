# The routes, who may call them, how often, the gateway's own responses, and a domain and a web ACL in front.

mock_provider "aws" {
  source = "./tests/mocks"
}

run "defaults" {
  assert {
    condition = (
      aws_api_gateway_resource.v1.path_part == "v1" && aws_api_gateway_resource.v1.parent_id == aws_api_gateway_rest_api.main.root_resource_id &&
      aws_api_gateway_resource.device_tokens.path_part == "device-tokens" && aws_api_gateway_resource.device_tokens.parent_id == aws_api_gateway_resource.v1.id
    )
    error_message = "The path is /v1/device-tokens."
  }

  assert {
    condition     = toset([for m in aws_api_gateway_method.route : m.http_method]) == toset(["DELETE", "GET", "POST"]) && alltrue([for m in aws_api_gateway_method.route : m.resource_id == aws_api_gateway_resource.device_tokens.id])
    error_message = "The path has DELETE, GET and POST."
  }

  assert {
    condition = { for k, i in aws_api_gateway_integration.route : k => "${i.http_method} ${i.type} ${i.integration_http_method} ${i.uri}" } == {
      for method in ["DELETE", "GET", "POST"] : method => "${method} AWS_PROXY POST ${aws_lambda_function.main.invoke_arn}"
    }
    error_message = "Each method invokes the function with the whole request."
  }

  assert {
    condition     = aws_api_gateway_rest_api.main.endpoint_configuration[0].types == tolist(["REGIONAL"])
    error_message = "The API is regional."
  }

  assert {
    condition     = aws_api_gateway_method_settings.all.method_path == "*/*" && aws_api_gateway_method_settings.all.stage_name == aws_api_gateway_stage.main.stage_name
    error_message = "The settings apply to every method of the stage."
  }

  assert {
    condition     = aws_api_gateway_method_settings.all.settings[0].throttling_burst_limit == 100 && aws_api_gateway_method_settings.all.settings[0].throttling_rate_limit == 50
    error_message = "Each method takes 100 requests at once and 50 a second."
  }

  assert {
    condition     = aws_api_gateway_method_settings.all.settings[0].logging_level == "OFF" && !aws_api_gateway_method_settings.all.settings[0].data_trace_enabled
    error_message = "There are no execution logs, because they have bodies and so push tokens."
  }

  assert {
    condition     = !aws_api_gateway_method_settings.all.settings[0].caching_enabled && !aws_api_gateway_stage.main.cache_cluster_enabled
    error_message = "Responses are not cached: each is for one user."
  }

  assert {
    condition     = aws_api_gateway_stage.main.access_log_settings[0].destination_arn == aws_cloudwatch_log_group.access.arn
    error_message = "The access log goes to its group."
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
    condition     = length(aws_api_gateway_domain_name.main) == 0 && length(aws_api_gateway_base_path_mapping.main) == 0 && length(aws_wafv2_web_acl_association.stage) == 0
    error_message = "There is no domain and no web ACL by default."
  }

  assert {
    condition     = !aws_api_gateway_rest_api.main.disable_execute_api_endpoint && output.api_url == aws_api_gateway_stage.main.invoke_url && output.domain_target == null
    error_message = "Without a domain the API has AWS's default endpoint."
  }

  assert {
    condition = { for k, r in aws_api_gateway_gateway_response.problem : k => coalesce(r.status_code, "unchanged") } == {
      ACCESS_DENIED                = "403"
      BAD_REQUEST_BODY             = "400"
      BAD_REQUEST_PARAMETERS       = "400"
      DEFAULT_4XX                  = "400"
      DEFAULT_5XX                  = "unchanged"
      EXPIRED_TOKEN                = "404"
      INVALID_SIGNATURE            = "404"
      MISSING_AUTHENTICATION_TOKEN = "404"
      REQUEST_TOO_LARGE            = "413"
      RESOURCE_NOT_FOUND           = "404"
      THROTTLED                    = "429"
      UNAUTHORIZED                 = "401"
      WAF_FILTERED                 = "403"
    }
    error_message = "The gateway's own responses have these statuses."
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

  assert {
    condition     = aws_api_gateway_gateway_response.problem["UNAUTHORIZED"].response_parameters["gatewayresponse.header.WWW-Authenticate"] == "'Bearer'" && aws_api_gateway_gateway_response.problem["THROTTLED"].response_parameters["gatewayresponse.header.Retry-After"] == "'1'"
    error_message = "A 401 has WWW-Authenticate, and a 429 has Retry-After."
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
    web_acl_arn = "arn:aws:wafv2:eu-central-1:111122223333:regional/webacl/push/0a1b2c3d-1111-2222-3333-444455556666"
  }

  assert {
    condition     = aws_api_gateway_domain_name.main[0].security_policy == "TLS_1_2" && aws_api_gateway_domain_name.main[0].endpoint_configuration[0].types == tolist(["REGIONAL"])
    error_message = "The domain rejects TLS below 1.2, in the API's region."
  }

  assert {
    condition     = aws_api_gateway_domain_name.main[0].domain_name == "push.example.com" && aws_api_gateway_domain_name.main[0].regional_certificate_arn == var.custom_domain.certificate_arn
    error_message = "The domain has its name and certificate."
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

  assert {
    condition     = aws_wafv2_web_acl_association.stage[0].resource_arn == aws_api_gateway_stage.main.arn && aws_wafv2_web_acl_association.stage[0].web_acl_arn == var.web_acl_arn
    error_message = "The web ACL is associated with the stage."
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

  assert {
    condition = { for k, v in aws_lambda_function.main.environment[0].variables : k => v if k == "DEVICE_TOKEN_AUTH" || startswith(k, "DEVICE_TOKEN_OIDC") } == {
      DEVICE_TOKEN_AUTH          = "oidc"
      DEVICE_TOKEN_OIDC_ISSUER   = "https://issuer.example.com/tenant"
      DEVICE_TOKEN_OIDC_AUDIENCE = "device-tokens"
      DEVICE_TOKEN_OIDC_TOKEN    = "cognito-access"
    }
    error_message = "The function gets the issuer and the audience."
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
    condition = { for k, v in aws_lambda_function.main.environment[0].variables : k => v if k == "DEVICE_TOKEN_BASE_PATH" || startswith(k, "DEVICE_TOKEN_OIDC") } == {
      DEVICE_TOKEN_BASE_PATH            = "/push/api"
      DEVICE_TOKEN_OIDC_ISSUER          = "name"
      DEVICE_TOKEN_OIDC_AUDIENCE        = "ios"
      DEVICE_TOKEN_OIDC_TOKEN           = "access"
      DEVICE_TOKEN_OIDC_OTHER_AUDIENCES = "android web"
      DEVICE_TOKEN_OIDC_AUDIENCE_CLAIM  = "azp"
      DEVICE_TOKEN_OIDC_ALGORITHMS      = "EdDSA ES256"
      DEVICE_TOKEN_OIDC_DISCOVERY_URL   = "https://id.example.com/metadata?p=policy"
      DEVICE_TOKEN_OIDC_METADATA_ISSUER = "https://id.example.com/"
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
