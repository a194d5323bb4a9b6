// What the server cannot be made to do: be slow, throttled or away.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { retryAfter } from '../src/client';
import { isFor } from '../src/recipient';
import { Phone, session, status, type Sent } from './phone';

const url = 'http://backend.invalid';
const registered = () =>
  new Response(JSON.stringify({ deviceId: 'd', platform: 'ios', registeredAt: '', updatedAt: '', expiresAt: '' }), { status: 201 });

/** A phone whose backend gives one answer after another, and the last one for ever. */
function phoneWith(...answers: (() => Response | Promise<Response>)[]): Phone {
  const phone = new Phone(url);
  phone.answer = () => (answers.length > 1 ? answers.shift() : answers[0])?.();
  return phone;
}

test('429 and 503 are repeated when Retry-After says', async () => {
  const phone = phoneWith(
    () => status(429, { 'Retry-After': '7' }),
    () => status(503, { 'Retry-After': 'Mon, 23 Nov 2026 09:01:07 GMT' }),
    () => status(503),
    registered,
  );
  assert.equal((await phone.tokens.logIn(session('alice'))).state, 'registered');
  assert.deepEqual(phone.clock.waits, [7_000, 60_000, 4_000]);
});

test('no answer is repeated, later each time, and not for ever', async () => {
  const phone = phoneWith(() => Promise.reject(new TypeError('offline')));
  assert.deepEqual(await phone.tokens.logIn(session('alice')), { state: 'unreachable' });
  assert.deepEqual(phone.clock.waits, [1_000, 2_000, 4_000, 8_000, 16_000]);
  assert.equal(phone.sent.length, 6);
});

test('a Retry-After that is too far away is left to the next launch', async () => {
  const phone = phoneWith(() => status(503, { 'Retry-After': '3600' }));
  assert.deepEqual(await phone.tokens.logIn(session('alice')), { state: 'unreachable' });
  assert.equal(phone.sent.length, 1);
});

test('nothing else is repeated', async () => {
  for (const code of [400, 403, 404, 422, 500, 502]) {
    const phone = phoneWith(() => status(code, { 'X-Request-Id': 'r1' }));
    assert.deepEqual(await phone.tokens.logIn(session('alice')), { state: 'refused', status: code, requestId: 'r1' });
    assert.equal(phone.sent.length, 1);
  }
  const phone = phoneWith(() => status(401));
  assert.deepEqual(await phone.tokens.logIn(session('alice')), { state: 'unauthenticated' });
  assert.equal(phone.sent.length, 1);
});

test('without the permission, a token or a place for the device id, nothing is sent', async () => {
  for (const permission of ['denied', 'unsupported'] as const) {
    const phone = phoneWith(registered);
    phone.permission = permission;
    assert.deepEqual(await phone.tokens.logIn(session('alice')), { state: permission });
    assert.equal(phone.sent.length, 0);
  }
  const full = phoneWith(registered);
  full.store.set = () => Promise.reject(new Error('full'));
  assert.equal((await full.tokens.logIn(session('alice'))).state, 'failed');
  assert.equal(full.sent.length, 0);
  full.store.set = async () => undefined;
  assert.equal((await full.tokens.logIn(session('alice'))).state, 'registered', 'the id is tried again');
});

test('one request at a time: a log out waits for a registration that is under way', async () => {
  let answer: (response: Response) => void = () => undefined;
  const phone = phoneWith(() => new Promise((resolve) => (answer = resolve)), () => status(204));
  const registration = phone.tokens.logIn(session('alice'));
  while (phone.sent.length === 0) {
    await new Promise(setImmediate);
  }
  const order: string[] = [];
  const left = phone.tokens.logOut(async () => void order.push('dropped'));
  const again = phone.tokens.logOut(async () => void order.push('dropped twice'));
  await new Promise(setImmediate);
  assert.deepEqual(phone.sent.map((s) => s.method), ['POST'], 'the first is not answered');
  answer(registered());
  assert.equal((await registration).state, 'registered');
  assert.deepEqual(await left, { deactivated: true, silenced: false });
  assert.deepEqual(await again, await left);
  assert.deepEqual(phone.sent.map((s: Sent) => s.method), ['POST', 'DELETE']);
  assert.deepEqual(order, ['dropped']);
});

test('a log out ends the tries of a registration, so that none comes after it', async () => {
  const phone = new Phone(url);
  let left: Promise<unknown> | undefined;
  phone.answer = (sent) => {
    left ??= phone.tokens.logOut(async () => undefined);
    return sent.method === 'POST' ? status(503, { 'Retry-After': '1' }) : status(204);
  };
  assert.deepEqual(await phone.tokens.logIn(session('alice')), { state: 'stopped' });
  await left;
  assert.deepEqual(phone.sent.map((s) => s.method), ['POST', 'DELETE']);
});

test('a log out does not wait for a question that the user does not answer', async () => {
  const phone = phoneWith(() => status(204));
  phone.asked = new Promise(() => undefined);
  const registration = phone.tokens.logIn(session('alice'));
  await new Promise(setImmediate);
  assert.deepEqual(await phone.tokens.logOut(async () => undefined), { deactivated: true, silenced: false });
  assert.deepEqual(await registration, { state: 'stopped' });
  assert.deepEqual(phone.sent.map((s) => s.method), ['DELETE']);
});

test('a token that did not roll after all is not registered twice', async () => {
  const phone = phoneWith(registered);
  const registration = phone.tokens.logIn(session('alice'));
  await new Promise(setImmediate);
  phone.roll(phone.pushToken); // as asking for the native token does
  await registration;
  while (phone.reported.length === 0) {
    await new Promise(setImmediate);
  }
  assert.deepEqual(phone.reported, [{ state: 'unchanged' }]);
  assert.equal(phone.sent.length, 1);
});

test('a log in while a log out is under way comes after it', async () => {
  const phone = new Phone(url);
  phone.answer = (sent) => (sent.method === 'POST' ? registered() : status(204));
  await phone.tokens.logIn(session('alice'));
  const left = phone.tokens.logOut(async () => undefined);
  await phone.tokens.logIn(session('bob'));
  await left;
  assert.deepEqual(phone.sent.map((s) => [s.method, s.user]), [['POST', 'alice'], ['DELETE', 'alice'], ['POST', 'bob']]);
  assert.equal(phone.listeners.length, 1);
});

test('a log out whose session has ended already silences the phone', async () => {
  const phone = new Phone(url);
  phone.answer = (sent) => (sent.method === 'POST' ? registered() : status(401));
  await phone.tokens.logIn(session('alice'));
  assert.deepEqual(await phone.tokens.logOut(async () => undefined), { deactivated: false, silenced: true });
});

test('a registration without an answer is settled after a while, and by the answer of a client error', async () => {
  const phone = new Phone(url);
  const logOut = () => phone.tokens.logOut(async () => undefined);
  for (const [posted, later, silenced] of [
    [() => Promise.reject(new TypeError('no answer')), 29_999, true],
    [() => Promise.reject(new TypeError('no answer')), 30_000, false],
    [() => status(504), 0, true],
    [() => status(422), 0, false],
  ] as const) {
    phone.answer = (sent) => (sent.method === 'POST' ? posted() : status(204));
    await phone.tokens.logIn(session('alice'));
    phone.clock.time += later;
    assert.deepEqual(await logOut(), { deactivated: true, silenced });
    phone.clock.time += 60_000;
  }
});

test('a log out ends the repeat of a registration that something late might undo', async () => {
  const phone = new Phone(url);
  phone.answer = () => Promise.reject(new TypeError('no answer'));
  await phone.tokens.logIn(session('alice'));
  phone.answer = (sent) => (sent.method === 'POST' ? registered() : status(204));
  phone.sent.length = 0;
  const left = phone.tokens.logIn(session('alice')).then(() => phone.tokens.logOut(async () => undefined));
  assert.deepEqual(await left, { deactivated: true, silenced: true });
  await new Promise(setImmediate);
  assert.deepEqual(phone.sent.map((s) => s.method), ['POST', 'DELETE']);
  assert.deepEqual(phone.reported, []);
});

test('a notification for another user is not shown', async () => {
  const phone = phoneWith(registered);
  assert.equal(phone.tokens.mayShow({ recipient: 'alice' }), false, 'nobody is logged in');
  await phone.tokens.logIn(session('alice'));
  assert.equal(phone.tokens.mayShow({ recipient: 'alice' }), true);
  assert.equal(phone.tokens.mayShow({ recipient: 'bob' }), false);
  void phone.tokens.logOut(async () => undefined);
  assert.equal(phone.tokens.mayShow({ recipient: 'alice' }), false, 'from the moment of the log out');
  for (const [data, want] of [
    [undefined, true], [null, true], [{}, true], ['text', true], [{ recipient: null }, false], [{ recipient: 7 }, false],
    [{ recipient: '' }, false],
  ] as const) {
    assert.equal(isFor(data, 'alice'), want, JSON.stringify(data));
  }
});

test('Retry-After is seconds or a date', () => {
  const now = Date.UTC(2026, 10, 23, 9);
  for (const [header, want] of [
    [null, undefined], ['', undefined], ['soon', undefined], ['-1', undefined], ['1.5', undefined], ['0', 0], [' 12 ', 12_000],
    ['Mon, 23 Nov 2026 09:00:30 GMT', 30_000], ['Mon, 23 Nov 2026 08:00:00 GMT', 0],
  ] as const) {
    assert.equal(retryAfter(header, now), want, String(header));
  }
});
