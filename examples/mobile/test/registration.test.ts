// A backend that is slow, throttled or away, which the real server cannot simulate.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { retryAfter } from '../src/client';
import { isFor } from '../src/registration';
import { never, offline, Phone, phoneThatWorks, registered, status, turn, until, works } from './phone';

/** A phone whose backend gives these answers in turn, and then repeats the last one. */
function phoneWith(...answers: (() => Response | Promise<Response>)[]): Phone {
  const phone = phoneThatWorks();
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
  assert.equal((await phone.logIn()).state, 'registered');
  assert.deepEqual(phone.clock.waits, [7_000, 60_000, 4_000]);
});

test('so are 408, 425, and what the gateway answers when the function fails', async () => {
  for (const code of [408, 425, 500, 502, 504, 529]) {
    const phone = phoneWith(() => status(code, { 'Retry-After': '3' }), () => status(code), registered);
    assert.equal((await phone.logIn()).state, 'registered', String(code));
    assert.deepEqual(phone.clock.waits, [3_000, 2_000]);
  }
});

test('an answer of something in between is none', async () => {
  const page = (code: number) => () => new Response('\n<!doctype html><title>Log in</title>', { status: code });
  const typed = () => new Response('Log in', { status: 403, headers: { 'Content-Type': 'text/html' } });
  const json = (value: unknown, code = 200) => () => new Response(JSON.stringify(value), { status: code });
  const whole = (await registered().json()) as object;
  const never = [page(200), page(401), page(404), page(302), typed, json(null), json([]), json({}), json({ deviceTokens: [] })];
  for (const [i, answer] of [
    ...never, () => status(204), json({ ...whole, expiresAt: 7 }), json({ ...whole, deviceId: undefined }),
    json({ ...whole, platform: 1 }), json({ ...whole, registeredAt: null }), json({ ...whole, updatedAt: {} }), json(whole, 202),
    () => new Response('{"deviceId":', { status: 201 }),
  ].entries()) {
    const phone = phoneWith(answer, registered);
    assert.equal((await phone.logIn()).state, 'registered', `registration ${i}`);
    assert.equal(phone.sent.length, 2, `registration ${i}`);
  }
  for (const [i, answer] of [...never, json(whole), () => new Response('', { status: 200 })].entries()) {
    const phone = phoneWith(registered, answer);
    await phone.logIn();
    assert.deepEqual(await phone.logOut(), { deactivated: false, silenced: true }, `log out ${i}`);
    assert.deepEqual(phone.methods, ['POST', 'DELETE', 'DELETE', 'DELETE'], `log out ${i}`);
  }
});

test('a redirection is not followed: the credential and the token are for the backend', async (t) => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.writeHead(307, { Location: '/elsewhere' }).end();
  });
  t.after(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const phone = new Phone(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  assert.deepEqual(await phone.logIn(), { state: 'unreachable' });
  assert.deepEqual([...new Set(asked)], ['/v1/device-tokens']);
});

test('no answer is repeated, later each time, and not for ever', async () => {
  const phone = phoneWith(offline);
  assert.deepEqual(await phone.logIn(), { state: 'unreachable' });
  assert.deepEqual(phone.clock.waits, [1_000, 2_000, 4_000, 8_000, 16_000]);
  assert.equal(phone.sent.length, 6);
});

test('a Retry-After that is too far away is left to the next launch', async () => {
  const phone = phoneWith(() => status(503, { 'Retry-After': '3600' }));
  assert.deepEqual(await phone.logIn(), { state: 'unreachable' });
  assert.equal(phone.sent.length, 1);
});

test('nothing else is repeated', async () => {
  for (const code of [400, 403, 404, 413, 422]) {
    const phone = phoneWith(() => status(code, { 'X-Request-Id': 'r1' }));
    assert.deepEqual(await phone.logIn(), { state: 'refused', status: code, requestId: 'r1' });
    assert.equal(phone.sent.length, 1);
  }
  const phone = phoneWith(() => status(401));
  assert.deepEqual(await phone.logIn(), { state: 'unauthenticated' });
  assert.equal(phone.sent.length, 1);
});

test('without the permission, nothing is sent', async () => {
  for (const permission of ['denied', 'unsupported'] as const) {
    const phone = phoneWith(registered);
    phone.permission = permission;
    assert.deepEqual(await phone.logIn(), { state: permission });
    assert.equal(phone.sent.length, 0);
  }
});

test('a token that the phone does not give is asked for again, later each time, and not for ever', async () => {
  for (const failures of [1, 5, 6]) {
    const phone = phoneThatWorks();
    let failed = 0;
    phone.token = () => (failed++ < failures ? Promise.reject(new Error('SERVICE_NOT_AVAILABLE')) : Promise.resolve('late'));
    assert.equal((await phone.logIn()).state, failures < 6 ? 'registered' : 'failed');
    assert.deepEqual(phone.clock.waits, [1_000, 2_000, 4_000, 8_000, 16_000].slice(0, failures));
  }
  const phone = phoneThatWorks();
  phone.asked = Promise.reject(new Error('no activity'));
  setImmediate(() => (phone.asked = Promise.resolve()));
  assert.equal((await phone.logIn()).state, 'registered', 'the permission');
});

test('a log out ends the tries to get a token', async () => {
  const phone = phoneThatWorks();
  let asked = 0;
  let left: Promise<unknown> | undefined;
  phone.token = () => {
    asked++;
    left ??= phone.logOut();
    return Promise.reject(new Error('SERVICE_NOT_AVAILABLE'));
  };
  assert.deepEqual(await phone.logIn(), { state: 'stopped' });
  await left;
  await until(() => phone.clock.idle());
  assert.equal(asked, 1);
  assert.deepEqual(phone.methods, ['DELETE']);
});

test('one request at a time: a log out waits for a registration that is under way', async () => {
  let answer: (response: Response) => void = () => undefined;
  const phone = phoneWith(() => new Promise((resolve) => (answer = resolve)), () => status(204));
  const registration = phone.logIn();
  await until(() => phone.sent.length > 0);
  const order: string[] = [];
  const left = phone.logOut(async () => void order.push('dropped'));
  const again = phone.logOut(async () => void order.push('dropped twice'));
  await turn();
  assert.deepEqual(phone.methods, ['POST']);
  answer(registered());
  assert.equal((await registration).state, 'registered');
  assert.deepEqual(await left, { deactivated: true, silenced: false });
  assert.deepEqual(await again, await left);
  assert.deepEqual(phone.methods, ['POST', 'DELETE']);
  assert.deepEqual(order, ['dropped']);
});

test('a log out ends the tries of a registration, so that none comes after it', async () => {
  const phone = phoneThatWorks();
  let left: Promise<unknown> | undefined;
  phone.answer = (sent) => {
    left ??= phone.logOut();
    return sent.method === 'POST' ? status(503, { 'Retry-After': '1' }) : status(204);
  };
  assert.deepEqual(await phone.logIn(), { state: 'stopped' });
  await left;
  assert.deepEqual(phone.methods, ['POST', 'DELETE']);
  assert.deepEqual(phone.clock.waits, [], 'it does not wait to repeat it');
});

test('a log out does not wait for a question that the user does not answer', async () => {
  const phone = phoneWith(() => status(204));
  phone.asked = never();
  const registration = phone.logIn();
  await turn();
  assert.deepEqual(await phone.logOut(), { deactivated: true, silenced: false });
  assert.deepEqual(await registration, { state: 'stopped' });
  assert.deepEqual(phone.methods, ['DELETE']);
});

test('a token that did not roll after all is not registered twice', async () => {
  const phone = phoneWith(registered);
  const registration = phone.logIn();
  await turn();
  phone.roll(phone.pushToken); // as asking for the native token does
  await registration;
  await until(() => phone.reported.length > 0);
  assert.deepEqual(phone.reported, [{ state: 'unchanged' }]);
  assert.equal(phone.sent.length, 1);
});

test('a log in while a log out is under way comes after it', async () => {
  const phone = phoneThatWorks();
  await phone.logIn();
  const left = phone.logOut();
  await phone.logIn('bob');
  await left;
  assert.deepEqual(phone.sent.map((s) => [s.method, s.user]), [['POST', 'alice'], ['DELETE', 'alice'], ['POST', 'bob']]);
  assert.equal(phone.listeners.length, 1);
});

test('a registration without an answer is settled after a while, and by the answer of a client error', async () => {
  const phone = phoneThatWorks();
  for (const [posted, later, silenced] of [
    [offline, 29_999, true],
    [offline, 30_000, false],
    [() => status(504), 0, true],
    [() => status(422), 0, false],
    [() => status(429), 0, false],
  ] as const) {
    phone.answer = (sent) => (sent.method === 'POST' ? posted() : status(204));
    await phone.logIn();
    phone.clock.time += later;
    assert.deepEqual(await phone.logOut(), { deactivated: true, silenced });
    phone.clock.time += 60_000;
  }
});

test('a log out ends the repeat of a registration that something late might undo', async () => {
  const phone = phoneThatWorks();
  phone.answer = offline;
  await phone.logIn();
  phone.answer = works;
  phone.sent.length = 0;
  assert.deepEqual(await phone.logIn().then(() => phone.logOut()), { deactivated: true, silenced: true });
  await turn();
  assert.deepEqual(phone.methods, ['POST', 'DELETE']);
  assert.deepEqual(phone.reported, []);
});

test('a notification for another user is not shown', async () => {
  const phone = phoneWith(registered);
  assert.equal(phone.tokens.mayShow({ recipient: 'alice' }), false, 'without a session');
  await phone.logIn();
  assert.equal(phone.tokens.mayShow({ recipient: 'alice' }), true);
  assert.equal(phone.tokens.mayShow({ recipient: 'bob' }), false);
  void phone.logOut();
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

/** Taps on a notification for each recipient, and returns the list of those that are opened. */
function taps(phone: Phone, ...recipients: (string | undefined)[]): (string | undefined)[] {
  const opened: (string | undefined)[] = [];
  for (const recipient of recipients) {
    phone.tokens.tapped(recipient === undefined ? {} : { recipient }, () => opened.push(recipient));
  }
  return opened;
}

test('a tap that comes before the log in is held until then', async () => {
  const phone = phoneThatWorks();
  const opened = taps(phone, 'alice', 'bob', undefined, 'alice');
  assert.deepEqual(opened, [undefined], 'what names no user waits for none');
  await phone.logIn();
  assert.deepEqual(opened, [undefined, 'alice', 'alice']);
  await phone.logIn('bob');
  assert.deepEqual(opened, [undefined, 'alice', 'alice'], 'what was for another user is not held on');
});

test('a tap is not held once the app has said who is logged in', async () => {
  const phone = phoneThatWorks();
  await phone.logIn();
  const during = taps(phone, 'alice', 'bob');
  await phone.logOut();
  const between = taps(phone, 'alice');
  await phone.logIn('bob');
  await phone.logIn();
  assert.deepEqual([during, between], [['alice'], []]);
});

test('a tap that is held is dropped by a log out', async () => {
  const phone = phoneThatWorks();
  const before = taps(phone, 'alice');
  await phone.logOut();
  const afterwards = taps(phone, 'alice');
  await phone.logIn();
  assert.deepEqual([before, afterwards], [[], []]);
});

test('a screen that fails to open does not fail the log in', async (t) => {
  const phone = phoneThatWorks();
  const listeners = process.listeners('unhandledRejection'); // those of the test runner
  process.removeAllListeners('unhandledRejection');
  const failure = new Promise((resolve) => process.once('unhandledRejection', resolve));
  t.after(() => listeners.forEach((listener) => process.on('unhandledRejection', listener)));
  phone.tokens.tapped({ recipient: 'alice' }, () => {
    throw new Error('no screen');
  });
  const opened = taps(phone, 'alice');
  assert.equal((await phone.logIn()).state, 'registered');
  assert.match(String(await failure), /no screen/);
  assert.deepEqual(opened, ['alice']);
});
