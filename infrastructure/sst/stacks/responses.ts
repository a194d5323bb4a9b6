// The gateway's own error responses, as problem documents (RFC 9457) like httpapi's. A
// 5XX keeps its status, so its document has no member status.

interface Problem {
  status?: number;
  title: string;
  code: string;
  detail: string;
  /** Beside the headers that every problem has. */
  headers?: Record<string, string>;
}

const badRequest: Problem = { status: 400, title: "Bad Request", code: "bad_request", detail: "The request is malformed." };
const forbidden: Problem = { status: 403, title: "Forbidden", code: "forbidden", detail: "The request is not allowed." };
const notFound: Problem = { status: 404, title: "Not Found", code: "not_found", detail: "There is nothing at this path." };

const problems: Record<string, Problem> = {
  ACCESS_DENIED: forbidden,
  BAD_REQUEST_BODY: badRequest,
  BAD_REQUEST_PARAMETERS: badRequest,
  DEFAULT_4XX: badRequest,
  DEFAULT_5XX: {
    title: "Internal Server Error",
    code: "internal_error",
    detail: "The request failed. It is not known whether it had an effect.",
    headers: { "Retry-After": "1" },
  },
  // API Gateway uses this response for an unknown path or method. With an Authorization
  // header it rejects that header's signature.
  EXPIRED_TOKEN: notFound,
  INVALID_SIGNATURE: notFound,
  MISSING_AUTHENTICATION_TOKEN: notFound,
  REQUEST_TOO_LARGE: {
    status: 413,
    title: "Content Too Large",
    code: "content_too_large",
    detail: "The body is larger than any valid one.",
  },
  RESOURCE_NOT_FOUND: notFound,
  THROTTLED: {
    status: 429,
    title: "Too Many Requests",
    code: "too_many_requests",
    detail: "There are too many requests now. Nothing was done; repeating it is safe.",
    headers: { "Retry-After": "1" },
  },
  UNAUTHORIZED: {
    status: 401,
    title: "Unauthorized",
    code: "unauthenticated",
    detail: "The request has no valid credential.",
    headers: { "WWW-Authenticate": "Bearer" },
  },
  WAF_FILTERED: forbidden,
};

const commonHeaders = {
  "Cache-Control": "no-store",
  "Content-Type": "application/problem+json",
  "X-Content-Type-Options": "nosniff",
};

/** The answers as API Gateway takes them, by its names for them. */
export const gatewayResponses = Object.entries(problems).map(([responseType, problem]): Omit<aws.apigateway.ResponseArgs, "restApiId"> => {
  const { headers, ...members } = problem;
  return {
    responseType,
    statusCode: problem.status?.toString(),
    responseParameters: Object.fromEntries(
      Object.entries({ ...commonHeaders, ...headers }).map(([name, value]) => [`gatewayresponse.header.${name}`, `'${value}'`]),
    ),
    responseTemplates: { "application/json": JSON.stringify({ ...members, requestId: "$context.requestId" }) },
  };
});
