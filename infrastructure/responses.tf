# The gateway's own error responses, as problem documents (RFC 9457) like httpapi's. SST
# reads responses.json too. A test compares the problems that httpapi has too. A 5XX keeps
# its status, so its document has no member status.
#
# API Gateway uses MISSING_AUTHENTICATION_TOKEN for an unknown path or method, because it
# treats the request as a signed AWS request. With an Authorization header it rejects that
# header's signature (INVALID_SIGNATURE, EXPIRED_TOKEN), although no method here needs one.
locals {
  problems = jsondecode(file("${path.module}/responses.json"))

  problem_headers = {
    Cache-Control          = "no-store"
    Content-Type           = "application/problem+json"
    X-Content-Type-Options = "nosniff"
  }

  problem_own_headers = {
    DEFAULT_5XX  = { Retry-After = "1" }
    THROTTLED    = { Retry-After = "1" }
    UNAUTHORIZED = { WWW-Authenticate = "Bearer" }
  }

  gateway_responses = { for type, problem in local.problems : type => {
    status_code = try(tostring(problem.status), null)
    headers = {
      for name, value in merge(local.problem_headers, lookup(local.problem_own_headers, type, {})) :
      "gatewayresponse.header.${name}" => "'${value}'"
    }
    body = jsonencode(merge(problem, { requestId = "$context.requestId" }))
  } }
}

resource "aws_api_gateway_gateway_response" "problem" {
  for_each = local.gateway_responses

  rest_api_id         = aws_api_gateway_rest_api.main.id
  response_type       = each.key
  status_code         = each.value.status_code
  response_parameters = each.value.headers
  response_templates  = { "application/json" = each.value.body }
}
