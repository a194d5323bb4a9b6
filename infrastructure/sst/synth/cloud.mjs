// Stand-ins for AWS, as mocks of Pulumi, and for SST's command line, on the loopback. Identifiers and ARNs have AWS's
// form, but no value is checked.
import { createServer } from "node:http";

const account = "000000000000";
const arnOf = (service, region, resource) => `arn:aws:${service}:${region}:${account}:${resource}`;
const apiArn = (region, path) => `arn:aws:apigateway:${region}::/restapis/${path}`;

/** The values that AWS sets for a new resource, by type. */
const made = {
  "aws:kms/key:Key": ({ region, id }) => ({ keyId: id, arn: arnOf("kms", region, `key/${id}`) }),
  "aws:dynamodb/table:Table": ({ region, inputs }) => {
    const arn = arnOf("dynamodb", region, `table/${inputs.name}`);
    return { id: inputs.name, arn, ...(inputs.streamEnabled && { streamArn: `${arn}/stream/2024-01-01T00:00:00.000` }) };
  },
  "aws:iam/role:Role": ({ name, inputs }) => {
    const id = inputs.name ?? name;
    return { id, name: id, arn: arnOf("iam", "", `role/${id}`) };
  },
  "aws:lambda/function:Function": ({ region, inputs }) => {
    const arn = arnOf("lambda", region, `function:${inputs.name}`);
    const invokeArn = `arn:aws:apigateway:${region}:lambda:path/2015-03-31/functions/${arn}/invocations`;
    return { id: inputs.name, arn, invokeArn };
  },
  "aws:cloudwatch/logGroup:LogGroup": ({ region, inputs }) => ({
    id: inputs.name,
    arn: arnOf("logs", region, `log-group:${inputs.name}`),
  }),
  "aws:sns/topic:Topic": ({ region, inputs }) => {
    const arn = arnOf("sns", region, inputs.name);
    return { id: arn, arn };
  },
  "aws:apigateway/restApi:RestApi": ({ region, id }) => ({
    arn: apiArn(region, id),
    rootResourceId: `${id}-root`,
    executionArn: arnOf("execute-api", region, id),
  }),
  "aws:apigateway/stage:Stage": ({ region, inputs: { restApi, stageName } }) => ({
    arn: apiArn(region, `${restApi}/stages/${stageName}`),
    invokeUrl: `https://${restApi}.execute-api.${region}.amazonaws.com/${stageName}`,
  }),
  // The same values as from the stand-in for Terraform's provider.
  "aws:apigateway/domainName:DomainName": () => ({
    regionalDomainName: "offline-regional_domain_name",
    regionalZoneId: "offline-regional_zone_id",
  }),
  "random:index/randomBytes:RandomBytes": () => ({ base64: "", hex: "" }),
};

/** Pulumi's mocks of an account. With regionRole, the account has a role for API Gateway's logs. */
export function mocks({ region, regionRole }) {
  return {
    newResource({ type, name, inputs, id }) {
      if (type === "aws:apigateway/account:Account" && id) {
        const cloudwatchRoleArn = regionRole ? `arn:aws:iam::${account}:role/api-gateway-logs` : "";
        return { id, state: { ...inputs, cloudwatchRoleArn } };
      }
      const given = `${name}-id`;
      const { id: own, ...state } = made[type]?.({ region, name, inputs, id: given }) ?? {};
      return { id: own ?? given, state: { ...inputs, ...state } };
    },

    // Pulumi loses the message of an error.
    call(asked) {
      try {
        return answered(asked);
      } catch (error) {
        console.error(error);
        throw error;
      }
    },
  };

  function answered({ token, inputs }) {
    switch (token) {
      case "aws:index/getRegion:getRegion":
        return { region, id: region, name: region };
      case "aws:index/getPartition:getPartition":
        return { partition: "aws", dnsSuffix: "amazonaws.com", id: "aws" };
      case "aws:index/getCallerIdentity:getCallerIdentity":
        return { accountId: account, id: account };
      case "aws:iam/getPolicyDocument:getPolicyDocument":
        return { ...inputs, json: JSON.stringify(policyDocument(inputs)) };
      default:
        throw new Error(`no mock of ${token}`);
    }
  }
}

// The JSON of a policy document, as AWS's provider makes it, with the members that SST uses.
function policyDocument({ statements }) {
  return {
    Version: "2012-10-17",
    Statement: statements.map(({ effect, actions, resources, principals, conditions, ...rest }) => {
      const unknown = Object.keys(rest);
      if (unknown.length > 0) throw new Error(`a policy statement has ${unknown}`);
      const statement = { Effect: effect ?? "Allow", Action: actions, Resource: resources };
      for (const { type, identifiers } of principals ?? []) {
        statement.Principal ??= {};
        statement.Principal[type] = identifiers;
      }
      for (const { test, variable, values } of conditions ?? []) {
        statement.Condition ??= {};
        statement.Condition[test] ??= {};
        statement.Condition[test][variable] = values;
      }
      return statement;
    }),
  };
}

/** Starts a server that responds to SST's components as the command line does. Returns its address. */
export async function commandLine({ bundle }) {
  const answers = {
    "Provider.Aws.Bootstrap": () => ({ asset: "sst-asset", state: "sst-state" }),
    "Runtime.Build": ({ handler }) => ({ handler, out: bundle, errors: [], sourcemaps: [] }),
  };
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const { method, params } = JSON.parse(body);
    const answer = answers[method];
    // A connection that stays open would keep the process alive.
    response.writeHead(200, { "content-type": "application/json", connection: "close" });
    response.end(JSON.stringify(answer ? { result: answer(params[0]) } : { error: `no mock of ${method}` }));
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  server.unref();
  return `http://127.0.0.1:${server.address().port}`;
}
