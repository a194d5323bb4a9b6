// The life of a phone, against the real server.
import assert from 'node:assert/strict';
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import type { Readable } from 'node:stream';
import { after, before, test } from 'node:test';
import { offline, Phone, until } from './phone';

let server: ChildProcessByStdio<null, Readable, null> | undefined;
let url = '';
before(async () => {
  const program = process.env['LOCAL_SERVER'];
  assert.ok(program, 'LOCAL_SERVER is not set: to run the tests, use `go test ./mobile` in examples');
  server = spawn(program, ['-addr', '127.0.0.1:0', '-db', 'memory'], { stdio: ['ignore', 'pipe', 'ignore'] });
  let text = '';
  for await (const chunk of server.stdout) {
    text += String(chunk);
    if (text.includes('Ctrl-C')) {
      break;
    }
  }
  url = /http:\/\/[0-9.]+:[0-9]+/.exec(text)?.[0] ?? assert.fail(`the server did not start: ${text}`);
});
after(() => void server?.kill());

/** The active devices of a user, as the server lists them. */
async function devices(user: string): Promise<string[]> {
  const response = await fetch(`${url}/v1/device-tokens`, { headers: { Authorization: `Bearer ${user}` } });
  const list = (await response.json()) as { deviceTokens: { deviceId: string }[] };
  return list.deviceTokens.map((d) => d.deviceId);
}

const phoneWith = (pushToken: string, kept?: Map<string, string>) => Object.assign(new Phone(url, kept), { pushToken });
const deviceOf = (phone: Phone) => phone.kept.get('deviceTokens.deviceId') ?? '';

test('a launch registers, and the next one refreshes the same device', async () => {
  const phone = phoneWith('ExponentPushToken[launch]');
  const first = await phone.logIn('launch');
  assert.equal(first.state, 'registered');
  const again = phoneWith(phone.pushToken, phone.kept);
  const second = await again.logIn('launch');
  assert.ok(first.state === 'registered' && second.state === 'registered');
  assert.equal(second.registration.registeredAt, first.registration.registeredAt);
  assert.deepEqual(await devices('launch'), [deviceOf(phone)]);
});

test('a token that rolls is registered in place of the old one', async () => {
  const phone = phoneWith('ExponentPushToken[roll-1]');
  await phone.logIn('roller');
  phone.roll('ExponentPushToken[roll-2]');
  await until(() => phone.reported.length > 0);
  await phone.logOut();
  assert.deepEqual(phone.states, ['registered']);
  assert.deepEqual(phone.methods, ['POST', 'POST', 'DELETE']);
  assert.equal(phone.members('expoPushToken')[1], 'ExponentPushToken[roll-2]');
  phone.roll('ExponentPushToken[roll-3]');
  assert.equal(phone.sent.length, 3, 'without a session');
});

test('a log out deactivates before the session is dropped', async () => {
  const phone = phoneWith('ExponentPushToken[out]');
  await phone.logIn('leaver');
  let reached: string[] = ['?'];
  const done = await phone.logOut(async () => {
    reached = await devices('leaver');
  });
  assert.deepEqual(done, { deactivated: true, silenced: false });
  assert.deepEqual(reached, []);
  assert.equal(phone.silenced, 0);
});

test('a log out that fails is made good by the next user of the phone', async () => {
  const phone = phoneWith('ExponentPushToken[shared]');
  await phone.logIn();
  phone.answer = offline;
  let dropped = false;
  const done = await phone.logOut(async () => void (dropped = true));
  assert.deepEqual([done, dropped], [{ deactivated: false, silenced: true }, true]);
  assert.deepEqual(await devices('alice'), [deviceOf(phone)], 'the server was not told');

  phone.answer = () => undefined;
  assert.equal((await phone.logIn('bob')).state, 'registered');
  assert.deepEqual(await devices('alice'), [], 'the token moved');
  assert.deepEqual(await devices('bob'), [deviceOf(phone)]);
});

test('a registration that is carried out late does not give the phone back to its former user', async () => {
  const phone = phoneWith('ExponentPushToken[late]');
  const post = (user: string, body: unknown) =>
    fetch(`${url}/v1/device-tokens`, {
      method: 'POST', headers: { Authorization: `Bearer ${user}`, 'Content-Type': 'application/json' }, body: JSON.stringify(body),
    });
  phone.answer = offline;
  assert.deepEqual(await phone.logIn('late'), { state: 'unreachable' });
  const late = phone.sent[0];
  assert.ok(late);

  phone.answer = () => undefined;
  assert.deepEqual(await phone.logOut(), { deactivated: true, silenced: true });

  // The next user's registration is answered, and then the server gets to the former user's.
  phone.answer = async (sent) => {
    phone.answer = () => undefined;
    const answer = await post('heir', sent.body);
    await post('late', late.body);
    assert.deepEqual(await devices('late'), [deviceOf(phone)]);
    return answer;
  };
  const loggedInAt = phone.clock.now();
  assert.equal((await phone.logIn('heir')).state, 'registered');
  await until(() => phone.reported.length > 0);
  assert.deepEqual(phone.states, ['registered']);
  assert.equal(phone.clock.now() - loggedInAt, 30_000);
  assert.deepEqual(await devices('late'), []);
  assert.deepEqual(await devices('heir'), [deviceOf(phone)]);
});
