# A custom domain for the API. AWS's default endpoint accepts TLS 1.0; only the security
# policy of a domain can reject it. With a domain, the default endpoint is therefore
# disabled unless keep_default_endpoint is true.

resource "aws_api_gateway_domain_name" "main" {
  count = local.own_domain ? 1 : 0

  domain_name              = var.custom_domain.name
  regional_certificate_arn = var.custom_domain.certificate_arn
  security_policy          = "TLS_1_2"

  endpoint_configuration {
    types = ["REGIONAL"]
  }

  tags = local.tags
}

resource "aws_api_gateway_base_path_mapping" "main" {
  count = local.own_domain ? 1 : 0

  domain_name = aws_api_gateway_domain_name.main[0].domain_name
  api_id      = aws_api_gateway_rest_api.main.id
  stage_name  = aws_api_gateway_stage.main.stage_name
  base_path   = var.base_path == "" ? null : trimprefix(var.base_path, "/")
}

# Stages of a REST API can have a web ACL. Those of an HTTP API cannot.
resource "aws_wafv2_web_acl_association" "stage" {
  count = var.web_acl_arn != "" ? 1 : 0

  resource_arn = aws_api_gateway_stage.main.arn
  web_acl_arn  = var.web_acl_arn
}
