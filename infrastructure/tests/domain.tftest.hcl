# What may stand in front of the API: a domain, and a web ACL.

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

run "none" {
  assert {
    condition     = length(aws_api_gateway_domain_name.main) == 0 && length(aws_api_gateway_base_path_mapping.main) == 0 && length(aws_wafv2_web_acl_association.stage) == 0
    error_message = "Neither a domain nor a web ACL is there unless asked for."
  }

  assert {
    condition     = !aws_api_gateway_rest_api.main.disable_execute_api_endpoint && output.api_url == aws_api_gateway_stage.main.invoke_url && output.domain_target == null
    error_message = "Without a domain the API is called at AWS's own endpoint."
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
    error_message = "The domain refuses TLS below 1.2, in the API's region."
  }

  assert {
    condition     = aws_api_gateway_domain_name.main[0].domain_name == "push.example.com" && aws_api_gateway_domain_name.main[0].regional_certificate_arn == var.custom_domain.certificate_arn
    error_message = "The domain has its name and certificate."
  }

  assert {
    condition     = aws_api_gateway_rest_api.main.disable_execute_api_endpoint
    error_message = "With a domain, AWS's own endpoint refuses every request."
  }

  assert {
    condition     = aws_api_gateway_deployment.main.triggers.routes != run.none.deployment_trigger
    error_message = "Switching the endpoint off takes a deployment."
  }

  assert {
    condition = (
      aws_api_gateway_base_path_mapping.main[0].domain_name == "push.example.com" &&
      aws_api_gateway_base_path_mapping.main[0].api_id == aws_api_gateway_rest_api.main.id &&
      aws_api_gateway_base_path_mapping.main[0].stage_name == "dev" &&
      aws_api_gateway_base_path_mapping.main[0].base_path == null
    )
    error_message = "The domain leads to the stage, without a path before the routes."
  }

  assert {
    condition     = output.api_url == "https://push.example.com" && output.domain_target.name == aws_api_gateway_domain_name.main[0].regional_domain_name
    error_message = "The outputs have the domain's address, and what its record points to."
  }
}

run "domain_with_a_base_path" {
  command = plan

  variables {
    base_path = "/push"

    custom_domain = {
      name            = "api.example.com"
      certificate_arn = "arn:aws:acm:eu-central-1:111122223333:certificate/0a1b2c3d-1111-2222-3333-444455556666"
    }
  }

  assert {
    condition     = aws_api_gateway_base_path_mapping.main[0].base_path == "push" && output.api_url == "https://api.example.com/push"
    error_message = "The domain leads to the stage at the base path that the function takes off."
  }
}

run "domain_beside_the_default_endpoint" {
  command = plan

  variables {
    custom_domain = {
      name                  = "push.example.com"
      certificate_arn       = "arn:aws:acm:eu-central-1:111122223333:certificate/0a1b2c3d-1111-2222-3333-444455556666"
      keep_default_endpoint = true
    }
  }

  assert {
    condition     = !aws_api_gateway_rest_api.main.disable_execute_api_endpoint && length(aws_api_gateway_domain_name.main) == 1
    error_message = "Apps that have the old address are served while it is kept."
  }
}

run "web_acl" {
  variables {
    web_acl_arn = "arn:aws:wafv2:eu-central-1:111122223333:regional/webacl/push/0a1b2c3d-1111-2222-3333-444455556666"
  }

  assert {
    condition     = aws_wafv2_web_acl_association.stage[0].resource_arn == aws_api_gateway_stage.main.arn && aws_wafv2_web_acl_association.stage[0].web_acl_arn == var.web_acl_arn
    error_message = "The web ACL stands before the stage."
  }
}
