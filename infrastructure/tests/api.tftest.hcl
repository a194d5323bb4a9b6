# The routes, who may call them, how often, and what the gateway answers itself.

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
run "routes" {
  assert {
    condition     = aws_api_gateway_resource.v1.path_part == "v1" && aws_api_gateway_resource.v1.parent_id == aws_api_gateway_rest_api.main.root_resource_id
    error_message = "The first part of the path is v1."
  }

  assert {
    condition     = aws_api_gateway_resource.device_tokens.path_part == "device-tokens" && aws_api_gateway_resource.device_tokens.parent_id == aws_api_gateway_resource.v1.id
    error_message = "The second part of the path is device-tokens."
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
}

run "throttle" {
  assert {
    condition     = aws_api_gateway_method_settings.all.method_path == "*/*" && aws_api_gateway_method_settings.all.stage_name == aws_api_gateway_stage.main.stage_name
    error_message = "The settings are those of every method of the stage."
  }

  assert {
    condition     = aws_api_gateway_method_settings.all.settings[0].throttling_burst_limit == 100 && aws_api_gateway_method_settings.all.settings[0].throttling_rate_limit == 50
    error_message = "Each method takes 100 requests at once and 50 a second."
  }

  assert {
    condition     = aws_api_gateway_method_settings.all.settings[0].logging_level == "OFF" && !aws_api_gateway_method_settings.all.settings[0].data_trace_enabled
    error_message = "There are no execution logs: they hold bodies, and so push tokens."
  }

  assert {
    condition     = !aws_api_gateway_method_settings.all.settings[0].caching_enabled && !aws_api_gateway_stage.main.cache_cluster_enabled
    error_message = "Nothing is cached: an answer is one user's."
  }
}

run "access_log" {
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
    error_message = "A line of the access log holds no user, no address and no query."
  }
}

run "cognito" {
  assert {
    condition     = alltrue([for m in aws_api_gateway_method.route : m.authorization == "COGNITO_USER_POOLS" && m.authorizer_id == aws_api_gateway_authorizer.cognito[0].id])
    error_message = "Each method asks the authorizer."
  }

  assert {
    condition     = aws_api_gateway_authorizer.cognito[0].type == "COGNITO_USER_POOLS" && aws_api_gateway_authorizer.cognito[0].provider_arns == toset(var.authorizer.user_pool_arns) && aws_api_gateway_authorizer.cognito[0].identity_source == "method.request.header.Authorization"
    error_message = "The authorizer verifies tokens of the user pools in the Authorization header."
  }

  assert {
    condition     = alltrue([for m in aws_api_gateway_method.route : m.authorization_scopes == null])
    error_message = "Without scopes, ID tokens are taken."
  }

  assert {
    condition     = aws_lambda_function.main.environment[0].variables.DEVICE_TOKEN_AUTH == "claims" && length([for k in keys(aws_lambda_function.main.environment[0].variables) : k if startswith(k, "DEVICE_TOKEN_OIDC")]) == 0
    error_message = "The function takes the user from the authorizer's claims."
  }
}

# The runs from here on look at the deployment's trigger one after the other. In
# each, the state of the one before is still there, as in a second apply.

run "deployment" {
  assert {
    condition     = length(aws_api_gateway_deployment.main.triggers.routes) == 64 && aws_api_gateway_stage.main.deployment_id == aws_api_gateway_deployment.main.id
    error_message = "The stage shows the deployment, which has a trigger."
  }
}

run "deployment_again" {
  command = plan

  assert {
    condition     = aws_api_gateway_deployment.main.triggers.routes == run.deployment.deployment_trigger
    error_message = "A second plan of the same makes no second deployment."
  }
}

run "deployment_with_other_alarms" {
  variables {
    alarm_email = "team@example.com"
    max_devices = 5
  }

  assert {
    condition     = aws_api_gateway_deployment.main.triggers.routes == run.deployment.deployment_trigger
    error_message = "What is no route makes no deployment."
  }
}

run "deployment_with_another_route" {
  variables {
    authorizer = {
      type           = "cognito"
      user_pool_arns = ["arn:aws:cognito-idp:eu-central-1:111122223333:userpool/eu-central-1_EXAMPLE"]
      scopes         = ["devices/write"]
    }
  }

  assert {
    condition     = aws_api_gateway_deployment.main.triggers.routes != run.deployment.deployment_trigger
    error_message = "A changed route is deployed."
  }

  assert {
    condition     = alltrue([for m in aws_api_gateway_method.route : m.authorization_scopes == toset(["devices/write"])])
    error_message = "With scopes, each method asks for them."
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
    condition     = aws_api_gateway_deployment.main.triggers.routes != run.deployment.deployment_trigger
    error_message = "A changed authorizer is deployed."
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
    condition     = aws_api_gateway_deployment.main.triggers.routes != run.deployment.deployment_trigger
    error_message = "Another way to authenticate is deployed."
  }

  assert {
    condition     = length(aws_api_gateway_authorizer.cognito) == 0 && alltrue([for m in aws_api_gateway_method.route : m.authorization == "NONE"])
    error_message = "The gateway leaves the token to the function."
  }

  assert {
    condition = { for k, v in aws_lambda_function.main.environment[0].variables : k => v if k == "DEVICE_TOKEN_AUTH" || startswith(k, "DEVICE_TOKEN_OIDC") } == {
      DEVICE_TOKEN_AUTH          = "oidc"
      DEVICE_TOKEN_OIDC_ISSUER   = "https://issuer.example.com/tenant"
      DEVICE_TOKEN_OIDC_AUDIENCE = "device-tokens"
      DEVICE_TOKEN_OIDC_TOKEN    = "cognito-access"
    }
    error_message = "The function verifies the token's issuer and audience."
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
    error_message = "The settings of the issuer and the base path reach the function."
  }
}

run "oidc_keys" {
  command = plan

  variables {
    authorizer = { type = "oidc", issuer = "name", audience = "app", keys_url = "https://id.example.com/keys" }
  }

  assert {
    condition     = aws_lambda_function.main.environment[0].variables.DEVICE_TOKEN_OIDC_KEYS_URL == "https://id.example.com/keys"
    error_message = "The address of the keys reaches the function."
  }
}

run "responses" {
  assert {
    condition = { for k, r in aws_api_gateway_gateway_response.problem : k => coalesce(r.status_code, "its own") } == {
      ACCESS_DENIED                = "403"
      BAD_REQUEST_BODY             = "400"
      BAD_REQUEST_PARAMETERS       = "400"
      DEFAULT_4XX                  = "400"
      DEFAULT_5XX                  = "its own"
      EXPIRED_TOKEN                = "404"
      INVALID_SIGNATURE            = "404"
      MISSING_AUTHENTICATION_TOKEN = "404"
      REQUEST_TOO_LARGE            = "413"
      RESOURCE_NOT_FOUND           = "404"
      THROTTLED                    = "429"
      UNAUTHORIZED                 = "401"
      WAF_FILTERED                 = "403"
    }
    error_message = "The gateway's own answers have these statuses, and the 5XX their own."
  }

  assert {
    condition     = alltrue([for k, r in aws_api_gateway_gateway_response.problem : r.response_type == k && r.response_parameters["gatewayresponse.header.Content-Type"] == "'application/problem+json'" && r.response_parameters["gatewayresponse.header.Cache-Control"] == "'no-store'"])
    error_message = "The gateway's own answers are problem documents and are not cached."
  }

  assert {
    condition = alltrue([
      for k, r in aws_api_gateway_gateway_response.problem :
      try(tostring(jsondecode(r.response_templates["application/json"]).status), null) == r.status_code
    ])
    error_message = "A document's status is its answer's."
  }

  assert {
    condition     = aws_api_gateway_gateway_response.problem["UNAUTHORIZED"].response_parameters["gatewayresponse.header.WWW-Authenticate"] == "'Bearer'" && aws_api_gateway_gateway_response.problem["THROTTLED"].response_parameters["gatewayresponse.header.Retry-After"] == "'1'"
    error_message = "A 401 has a challenge, and a 429 says when to try again."
  }
}
