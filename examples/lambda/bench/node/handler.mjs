// The routes of the API as they are usually written for Lambda: the document client of the AWS SDK, made once,
// and a switch. It has none of what the Go function has besides: no exclusivity of tokens, no metrics, no limit.
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, QueryCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';

const table = process.env.DEVICE_TOKEN_TABLE_NAME;
const client = DynamoDBDocumentClient.from(new DynamoDBClient({}));

const answer = (statusCode, document) => ({
  statusCode,
  headers: { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' },
  body: document === undefined ? '' : JSON.stringify(document),
});

const routes = {
  async GET(userId) {
    const { Items = [] } = await client.send(
      new QueryCommand({
        TableName: table,
        ConsistentRead: true,
        KeyConditionExpression: 'userId = :user',
        FilterExpression: 'isActive = :true',
        ExpressionAttributeValues: { ':user': userId, ':true': true },
      }),
    );
    return answer(200, { deviceTokens: Items.map(({ deviceId, platform, updatedAt }) => ({ deviceId, platform, updatedAt })) });
  },

  async POST(userId, event) {
    const { deviceId, expoPushToken, platform } = JSON.parse(event.body ?? '{}');
    if (!deviceId || !/^Expo(nent)?PushToken\[.+\]$/.test(expoPushToken ?? '') || !['ios', 'android'].includes(platform)) {
      return answer(422, { code: 'invalid_fields' });
    }
    const updatedAt = new Date().toISOString();
    await client.send(
      new UpdateCommand({
        TableName: table,
        Key: { userId, deviceId },
        UpdateExpression: 'SET expoPushToken = :token, platform = :platform, isActive = :true, updatedAt = :now',
        ExpressionAttributeValues: { ':token': expoPushToken, ':platform': platform, ':true': true, ':now': updatedAt },
      }),
    );
    return answer(200, { deviceId, platform, updatedAt });
  },

  async DELETE(userId, event) {
    const deviceId = event.queryStringParameters?.deviceId;
    if (!deviceId) {
      return answer(422, { code: 'invalid_fields' });
    }
    await client.send(
      new UpdateCommand({
        TableName: table,
        Key: { userId, deviceId },
        UpdateExpression: 'SET isActive = :false',
        ConditionExpression: 'attribute_exists(userId)',
        ExpressionAttributeValues: { ':false': false },
      }),
    );
    return answer(204);
  },
};

export async function handler(event) {
  const userId = event.requestContext?.authorizer?.claims?.sub;
  const route = routes[event.httpMethod];
  if (!userId || !route) {
    return answer(userId ? 405 : 401, { code: 'refused' });
  }
  try {
    return await route(userId, event);
  } catch (error) {
    console.error(JSON.stringify({ level: 'ERROR', name: error.name }));
    return answer(500, { code: 'internal_error' });
  }
}
