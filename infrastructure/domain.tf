# A domain of your own in front of the API. The endpoint that AWS gives an API accepts
# TLS 1.0; only a domain's security policy refuses it. So with a domain the default
# endpoint refuses every request, unless it is kept for a while.

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
