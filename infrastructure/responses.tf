# The gateway's own error responses, as problem documents (RFC 9457) like httpapi's. A
# test checks that a problem that httpapi has too is equal. A 5XX keeps its status, so
# its document has no member status.
locals {
  problems = {
    ACCESS_DENIED = {
      status = 403, title = "Forbidden", code = "forbidden"
      detail = "The request is not allowed."
    }
    BAD_REQUEST_BODY = {
      status = 400, title = "Bad Request", code = "bad_request"
      detail = "The request is malformed."
    }
    BAD_REQUEST_PARAMETERS = {
      status = 400, title = "Bad Request", code = "bad_request"
      detail = "The request is malformed."
    }
    DEFAULT_4XX = {
      status = 400, title = "Bad Request", code = "bad_request"
      detail = "The request is malformed."
    }
    DEFAULT_5XX = {
      status = null, title = "Internal Server Error", code = "internal_error"
      detail = "The request failed. It is not known whether it had an effect."
    }
    # API Gateway uses this response for an unknown path or method, because it treats
    # the request as a signed AWS request. With an Authorization header it rejects that
    # header's signature, although no method here needs one.
    EXPIRED_TOKEN = {
      status = 404, title = "Not Found", code = "not_found"
      detail = "There is nothing at this path."
    }
    INVALID_SIGNATURE = {
      status = 404, title = "Not Found", code = "not_found"
      detail = "There is nothing at this path."
    }
    MISSING_AUTHENTICATION_TOKEN = {
      status = 404, title = "Not Found", code = "not_found"
      detail = "There is nothing at this path."
    }
    REQUEST_TOO_LARGE = {
      status = 413, title = "Content Too Large", code = "content_too_large"
      detail = "The body is larger than any valid one."
    }
    RESOURCE_NOT_FOUND = {
      status = 404, title = "Not Found", code = "not_found"
      detail = "There is nothing at this path."
    }
    THROTTLED = {
      status = 429, title = "Too Many Requests", code = "too_many_requests"
      detail = "There are too many requests now. Nothing was done; repeating it is safe."
    }
    UNAUTHORIZED = {
      status = 401, title = "Unauthorized", code = "unauthenticated"
      detail = "The request has no valid credential."
    }
    WAF_FILTERED = {
      status = 403, title = "Forbidden", code = "forbidden"
      detail = "The request is not allowed."
    }
  }

  problem_headers = {
    "gatewayresponse.header.Cache-Control"          = "'no-store'"
    "gatewayresponse.header.Content-Type"           = "'application/problem+json'"
    "gatewayresponse.header.X-Content-Type-Options" = "'nosniff'"
  }

  problem_own_headers = {
    DEFAULT_5XX  = { "gatewayresponse.header.Retry-After" = "'1'" }
    THROTTLED    = { "gatewayresponse.header.Retry-After" = "'1'" }
    UNAUTHORIZED = { "gatewayresponse.header.WWW-Authenticate" = "'Bearer'" }
  }

  gateway_responses = { for type, p in local.problems : type => {
    status_code = p.status == null ? null : tostring(p.status)
    headers     = merge(local.problem_headers, lookup(local.problem_own_headers, type, {}))
    body = jsonencode(merge(
      { title = p.title, code = p.code, detail = p.detail, requestId = "$context.requestId" },
      p.status == null ? {} : { status = p.status },
    ))
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
