// The life of a phone, against the real server.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { Phone, session } from './phone';
import { devices, startServer } from './server';

let url: string;
before(async () => {
  url = await startServer();
});

const deviceOf = (phone: Phone) => phone.kept.get('deviceTokens.deviceId') ?? '';

test('a launch registers, and the next one refreshes the same device', async () => {
  const phone = new Phone(url);
  phone.pushToken = 'ExponentPushToken[launch]';
  const first = await phone.tokens.logIn(session('launch'));
  assert.equal(first.state, 'registered');
  const again = new Phone(url, phone.kept);
  again.pushToken = phone.pushToken;
  const second = await again.tokens.logIn(session('launch'));
  assert.ok(first.state === 'registered' && second.state === 'registered');
  assert.equal(second.registration.registeredAt, first.registration.registeredAt);
  assert.deepEqual(await devices(url, 'launch'), [deviceOf(phone)]);
});

test('a token that rolls is registered in place of the old one', async () => {
  const phone = new Phone(url);
  phone.pushToken = 'ExponentPushToken[roll-1]';
  await phone.tokens.logIn(session('roller'));
  phone.roll('ExponentPushToken[roll-2]');
  while (phone.reported.length === 0) {
    await new Promise(setImmediate);
  }
  await phone.tokens.logOut(async () => undefined);
  assert.deepEqual(phone.reported.map((o) => o.state), ['registered']);
  assert.deepEqual(phone.sent.map((s) => s.method), ['POST', 'POST', 'DELETE']);
  assert.equal((phone.sent[1]?.body as { expoPushToken: string }).expoPushToken, 'ExponentPushToken[roll-2]');
  phone.roll('ExponentPushToken[roll-3]');
  assert.equal(phone.sent.length, 3, 'without a session');
});

test('a log out deactivates before the session is dropped', async () => {
  const phone = new Phone(url);
  phone.pushToken = 'ExponentPushToken[out]';
  await phone.tokens.logIn(session('leaver'));
  let reached: string[] = ['?'];
  const done = await phone.tokens.logOut(async () => {
    reached = await devices(url, 'leaver');
  });
  assert.deepEqual(done, { deactivated: true, silenced: false });
  assert.deepEqual(reached, []);
  assert.equal(phone.silenced, 0);
});

test('a log out that fails is made good by the next user of the phone', async () => {
  const phone = new Phone(url);
  phone.pushToken = 'ExponentPushToken[shared]';
  await phone.tokens.logIn(session('alice'));
  phone.answer = () => Promise.reject(new TypeError('offline'));
  let dropped = false;
  const done = await phone.tokens.logOut(async () => void (dropped = true));
  assert.deepEqual([done, dropped], [{ deactivated: false, silenced: true }, true]);
  assert.deepEqual(await devices(url, 'alice'), [deviceOf(phone)], 'the server was not told');

  phone.answer = () => undefined;
  assert.equal((await phone.tokens.logIn(session('bob'))).state, 'registered');
  assert.deepEqual(await devices(url, 'alice'), [], 'the token moved');
  assert.deepEqual(await devices(url, 'bob'), [deviceOf(phone)]);
});

test('a registration that is carried out late does not give the phone back to its former user', async () => {
  const phone = new Phone(url);
  phone.pushToken = 'ExponentPushToken[late]';
  const post = (user: string, body: unknown) =>
    fetch(`${url}/v1/device-tokens`, {
      method: 'POST', headers: { Authorization: `Bearer ${user}`, 'Content-Type': 'application/json' }, body: JSON.stringify(body),
    });
  phone.answer = () => Promise.reject(new TypeError('no answer'));
  assert.deepEqual(await phone.tokens.logIn(session('late')), { state: 'unreachable' });
  const late = phone.sent[0];
  assert.ok(late);

  phone.answer = () => undefined;
  assert.deepEqual(await phone.tokens.logOut(async () => undefined), { deactivated: true, silenced: true });

  // The next user's registration is answered, and then the server gets to the former user's.
  phone.answer = async (sent) => {
    phone.answer = () => undefined;
    const answer = await post('heir', sent.body);
    await post('late', late.body);
    assert.deepEqual(await devices(url, 'late'), [deviceOf(phone)]);
    return answer;
  };
  const loggedInAt = phone.clock.now();
  assert.equal((await phone.tokens.logIn(session('heir'))).state, 'registered');
  while (phone.reported.length === 0) {
    await new Promise(setImmediate);
  }
  assert.deepEqual(phone.reported.map((o) => o.state), ['registered']);
  assert.equal(phone.clock.now() - loggedInAt, 30_000);
  assert.deepEqual(await devices(url, 'late'), []);
  assert.deepEqual(await devices(url, 'heir'), [deviceOf(phone)]);
});

test('what the server refuses is not repeated', async () => {
  const phone = new Phone(url);
  phone.pushToken = 'no token';
  const outcome = await phone.tokens.logIn(session('refused'));
  assert.ok(outcome.state === 'refused');
  assert.equal(outcome.status, 422);
  assert.match(outcome.requestId ?? '', /^[A-Za-z0-9._-]+$/);
  assert.equal(phone.sent.length, 1);
});
