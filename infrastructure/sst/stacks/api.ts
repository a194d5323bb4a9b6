import { createHash } from "node:crypto";

import monitoring from "../../monitoring.json";
import problems from "../../responses.json";
import type { makeFunction } from "./function";
import { type Names, logRetention } from "./names";
import type { Settings } from "./settings";

const path = "/v1/device-tokens";
const methods = ["DELETE", "GET", "POST"] as const;

// Lambda is invoked by POST for every method.
const integration = { type: "aws-proxy", integrationHttpMethod: "POST" } as const;

const identitySource = "method.request.header.Authorization";

const throttle = { burst: 100, perSecond: 50 };

const problemHeaders = {
  "Cache-Control": "no-store",
  "Content-Type": "application/problem+json",
  "X-Content-Type-Options": "nosniff",
};

const ownProblemHeaders: Record<string, Record<string, string>> = {
  DEFAULT_5XX: { "Retry-After": "1" },
  THROTTLED: { "Retry-After": "1" },
  UNAUTHORIZED: { "WWW-Authenticate": "Bearer" },
};

/** The gateway's own error responses, which infrastructure/responses.tf explains. */
const gatewayResponses = Object.entries<{ title: string; status?: number }>(problems).map(
  ([responseType, problem]): Omit<aws.apigateway.ResponseArgs, "restApiId"> => ({
    responseType,
    statusCode: problem.status?.toString(),
    responseParameters: Object.fromEntries(
      Object.entries({ ...problemHeaders, ...ownProblemHeaders[responseType] }).map(([name, value]) => [`gatewayresponse.header.${name}`, `'${value}'`]),
    ),
    responseTemplates: { "application/json": JSON.stringify({ ...problem, requestId: "$context.requestId" }) },
  }),
);

/** Makes the REST API in front of the function. */
export function makeApi(settings: Settings, names: Names, key: aws.kms.Key, fn: ReturnType<typeof makeFunction>) {
  // The resources in the snapshot of a deployment. The code below adds them, and
  // deploy() creates the deployment.
  const deployed: $util.Resource[] = [];
  const trigger = routesDigest(settings, names);

  const api = new sst.aws.ApiGatewayV1("Api", {
    endpoint: { type: "regional" },
    cors: false,
    accessLog: { retention: logRetention[settings.stage] },
    transform: {
      api: {
        name: names.all,
        description: `Device tokens (${settings.stage})`,
        disableExecuteApiEndpoint: !hasDefaultEndpoint(settings),
      },
      accessLog: { name: names.accessLogGroup, kmsKeyId: key.arn },
      deployment: (args, opts) => {
        // SST's trigger has whole resources with attributes that AWS sets later, which
        // would cause a deployment without a change.
        args.triggers = { routes: trigger };
        opts.dependsOn = deployed;
      },
      stage: (args) => {
        args.description = `Device tokens (${settings.stage})`;
        args.cacheClusterEnabled = false;
        args.xrayTracingEnabled = false;
        args.accessLogSettings = $output(args.accessLogSettings).apply((log) => ({
          destinationArn: log!.destinationArn,
          format: JSON.stringify(monitoring.accessLog),
        }));
      },
    },
  });

  const auth = authOf(settings, names, api);
  for (const method of methods) {
    // This is not api.route(…, function), whose permission allows any route of this API
    // to invoke the function.
    const route = api.routeIntegration(
      `${method} ${path}`,
      { ...integration, uri: fn.component.nodes.function.invokeArn },
      { name: method.toLowerCase(), auth },
    );
    const permission = new aws.lambda.Permission(`Invoke${method}`, {
      statementId: `ApiGateway-${method}`,
      action: "lambda:InvokeFunction",
      function: fn.component.name,
      principal: "apigateway.amazonaws.com",
      sourceArn: $interpolate`${api.nodes.api.executionArn}/${settings.stage}/${method}${path}`,
    });
    deployed.push(route, permission);
  }
  for (const response of gatewayResponses) {
    deployed.push(new aws.apigateway.Response(`Response${response.responseType}`, { restApiId: api.nodes.api.id, ...response }));
  }

  api.deploy();
  const stage = api.nodes.stage!;

  // One setting for all methods. Execution logs stay off, because they contain bodies
  // and so push tokens.
  new aws.apigateway.MethodSettings("Throttle", {
    restApi: api.nodes.api.id,
    stageName: stage.stageName,
    methodPath: "*/*",
    settings: {
      throttlingBurstLimit: throttle.burst,
      throttlingRateLimit: throttle.perSecond,
      metricsEnabled: false,
      loggingLevel: "OFF",
      dataTraceEnabled: false,
      cachingEnabled: false,
    },
  });

  // Stages of a REST API can have a web ACL. Those of an HTTP API cannot.
  if (settings.webAclArn) {
    new aws.wafv2.WebAclAssociation("WebAcl", { resourceArn: stage.arn, webAclArn: settings.webAclArn });
  }
  return { stage, trigger, ...addressOf(settings, api.nodes.api, stage) };
}

function hasDefaultEndpoint({ customDomain }: Settings): boolean {
  return customDomain === undefined || customDomain.keepDefaultEndpoint === true;
}

/** The address of the API. infrastructure/api.tf explains the custom domain. */
function addressOf(settings: Settings, api: aws.apigateway.RestApi, stage: aws.apigateway.Stage) {
  if (!settings.customDomain) return { url: stage.invokeUrl };
  const domain = new aws.apigateway.DomainName("Domain", {
    domainName: settings.customDomain.name,
    regionalCertificateArn: settings.customDomain.certificateArn,
    securityPolicy: "TLS_1_2",
    endpointConfiguration: { types: "REGIONAL" },
  });
  new aws.apigateway.BasePathMapping("DomainMapping", {
    domainName: domain.domainName,
    restApi: api.id,
    stageName: stage.stageName,
    basePath: settings.basePath?.slice(1),
  });
  return {
    url: `https://${settings.customDomain.name}${settings.basePath ?? ""}`,
    target: { name: domain.regionalDomainName, zoneId: domain.regionalZoneId },
  };
}

/** With oidc the gateway passes every request to the function, which responds 401 to an invalid bearer token. */
function authOf(settings: Settings, names: Names, api: sst.aws.ApiGatewayV1): sst.aws.ApiGatewayV1RouteArgs["auth"] {
  const a = settings.authorizer;
  if (a.type === "oidc") return false;
  const authorizer = api.addAuthorizer({
    name: names.all,
    userPools: a.userPoolArns,
    identitySource,
  });
  return { cognito: { authorizer: authorizer.id, ...(a.scopes && { scopes: a.scopes }) } };
}

/** A digest of the routes: a changed digest makes a deployment. */
function routesDigest(settings: Settings, names: Names): string {
  const routes = {
    path,
    methods,
    integration: { ...integration, function: names.all, region: settings.region },
    authorizer: { ...settings.authorizer, identitySource },
    responses: gatewayResponses,
    defaultEndpoint: hasDefaultEndpoint(settings),
  };
  return createHash("sha256").update(JSON.stringify(routes)).digest("hex");
}
