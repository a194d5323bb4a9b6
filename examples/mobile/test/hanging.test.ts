// Calls to the phone, storage, the network and the app that never settle, or settle too late.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Phone, phoneThatWorks, session, status, until } from './phone';

const never = () => new Promise<never>(() => undefined);
const throwing = (): never => {
  throw new Error('native module missing');
};
const tokensOf = (phone: Phone) => phone.sent.map((s) => (s.body as { expoPushToken?: string } | undefined)?.expoPushToken);

/** A phone whose time-outs fire. */
function hangingPhone(): Phone {
  const phone = phoneThatWorks();
  phone.clock.timeouts = true;
  return phone;
}

/** A promise that resolves after that many milliseconds. */
const after = <T>(phone: Phone, milliseconds: number, value: T) =>
  new Promise<T>((resolve) => phone.clock.after(milliseconds, () => resolve(value)));

const unanswered = () => new Response(new ReadableStream(), { status: 201 });
const done = { deactivated: true, silenced: false };
const silenced = { deactivated: false, silenced: true };

for (const [what, state, want, hang] of [
  ['credential', 'unreachable', silenced, (phone: Phone) => void (phone.credential = never)],
  ['credential, which throws', 'unreachable', silenced, (phone: Phone) => void (phone.credential = throwing)],
  ['push token', 'failed', done, (phone: Phone) => void (phone.token = never)],
  ['push token, which throws', 'failed', done, (phone: Phone) => void (phone.token = throwing)],
  ['permission', 'failed', done, (phone: Phone) => void (phone.asked = never())],
  ['reading of storage', 'registered', done, (phone: Phone) => void (phone.store.get = never)],
  ['writing of storage', 'registered', done, (phone: Phone) => void (phone.store.set = never)],
  ['storage, which throws', 'registered', done, (phone: Phone) => void (phone.store.get = phone.store.set = throwing)],
  ['backend', 'unreachable', silenced, (phone: Phone) => void (phone.answer = never)],
  ['body of an answer', 'unreachable', silenced, (phone: Phone) => void (phone.answer = unanswered)],
  ['silencing', 'refused', { deactivated: false, silenced: false }, (phone: Phone) => {
    phone.answer = () => status(403);
    phone.silence = never;
  }],
  ['silencing, which throws', 'refused', { deactivated: false, silenced: false }, (phone: Phone) => {
    phone.answer = () => status(403);
    phone.silence = throwing;
  }],
  ['listener that cannot be removed', 'registered', done, (phone: Phone) => void (phone.unlistened = throwing)],
] as const) {
  test(`a log in, a log out and the next log in end without an answer: ${what}`, async () => {
    const phone = hangingPhone();
    hang(phone);
    assert.equal((await phone.tokens.logIn(phone.session('alice'))).state, state);
    let dropped = 0;
    const at = phone.clock.now();
    assert.deepEqual(await phone.tokens.logOut(async () => void dropped++), want);
    assert.equal(dropped, 1);
    assert.ok(phone.sent.every((s) => s.signal.aborted), 'a request that was given up goes on');
    assert.ok(phone.clock.now() - at <= 30_000, `a log out took ${phone.clock.now() - at} ms`);

    const works = hangingPhone();
    Object.assign(phone, {
      asked: works.asked, answer: works.answer, token: undefined, silence: undefined, credential: undefined, unlistened: () => {},
    });
    assert.equal((await phone.tokens.logIn(phone.session('bob'))).state, 'registered');
  });
}

test('a session that is never dropped does not keep the next log in waiting', async () => {
  const phone = hangingPhone();
  await phone.tokens.logIn(session('alice'));
  const left = assert.rejects(phone.tokens.logOut(never), /no answer from dropSession/);
  assert.equal((await phone.tokens.logIn(session('bob'))).state, 'registered');
  let dropped = false;
  assert.deepEqual(await phone.tokens.logOut(async () => void (dropped = true)), done);
  assert.ok(dropped);
  await left;
});

test('each of two users who log out one after the other has the session dropped', async () => {
  const phone = hangingPhone();
  await phone.tokens.logIn(session('alice'));
  const dropped: string[] = [];
  const left = phone.tokens.logOut(async () => void dropped.push('alice'));
  const bob = phone.tokens.logIn(session('bob'));
  await phone.tokens.logOut(async () => void dropped.push('bob'));
  assert.deepEqual(dropped, ['alice', 'bob']);
  assert.deepEqual([await left, await bob], [done, { state: 'stopped' }]);
});

test('a token is asked for after each log out before it has ended', async () => {
  const phone = hangingPhone();
  phone.answer = () => status(401);
  const order: string[] = [];
  phone.silence = () => after(phone, 5_000, undefined).then(() => void order.push('silenced'));
  phone.token = async () => {
    order.push('asked');
    return 'next';
  };
  const left = phone.tokens.logOut(async () => undefined);
  void phone.tokens.logIn(session('bob'));
  const bobLeft = phone.tokens.logOut(async () => undefined);
  await left;
  await phone.tokens.logIn(session('carol'));
  await bobLeft;
  assert.deepEqual(order, ['silenced', 'silenced', 'asked']);
});

test('a log out does not wait for a credential that a registration waits for', async () => {
  const phone = hangingPhone();
  const alice = session('alice');
  const registration = phone.tokens.logIn({ userId: 'alice', credential: never });
  await new Promise(setImmediate);
  const at = phone.clock.now();
  assert.deepEqual(await phone.tokens.logOut(alice.credential.bind(alice) as never), silenced);
  assert.deepEqual(await registration, { state: 'stopped' });
  assert.ok(phone.clock.now() - at <= 2 * 15_000);
});

test('without a credential nothing was sent that may come late', async () => {
  const phone = hangingPhone();
  let asked = 0;
  const alice = { userId: 'alice', credential: () => (asked++ < 6 ? never() : Promise.resolve('alice')) };
  assert.deepEqual(await phone.tokens.logIn(alice), { state: 'unreachable' });
  assert.deepEqual(await phone.tokens.logOut(async () => undefined), done);
});

test('a token that the listener brings is registered while the phone does not give one', async () => {
  const phone = hangingPhone();
  const began = phone.clock.now();
  phone.token = (native) => (native === undefined ? never() : Promise.resolve('rolled'));
  phone.answer = ((answer) => (sent) => {
    assert.equal(phone.clock.now(), began, 'without waiting for the other');
    return answer(sent);
  })(phone.answer);
  const registration = phone.tokens.logIn(session('alice'));
  phone.roll('rolled');
  assert.deepEqual(await registration, { state: 'unchanged' });
  assert.deepEqual(phone.reported.map((o) => o.state), ['registered']);
  assert.deepEqual(tokensOf(phone), ['rolled']);
});

test('a token that the listener brings after a log in failed is registered', async () => {
  const phone = hangingPhone();
  phone.token = (native) => (native === undefined ? never() : Promise.resolve('rolled'));
  assert.equal((await phone.tokens.logIn(session('alice'))).state, 'failed');
  phone.roll('rolled');
  await until(() => phone.reported.length === 1);
  assert.deepEqual(tokensOf(phone), ['rolled']);
});

test('a token that the phone gives after its time is registered, unless the user has logged out', async () => {
  for (const leaves of [false, true]) {
    const phone = hangingPhone();
    phone.token = () => {
      phone.token = never;
      return after(phone, 20_000, 'slow');
    };
    const registration = phone.tokens.logIn(session('alice'));
    if (leaves) {
      await new Promise(setImmediate);
      await phone.tokens.logOut(async () => undefined);
    }
    assert.deepEqual(await registration, { state: leaves ? 'stopped' : 'unchanged' });
    await until(() => phone.clock.idle());
    assert.deepEqual(tokensOf(phone), [leaves ? undefined : 'slow']);
    assert.deepEqual(phone.reported.map((o) => o.state), [leaves ? 'stopped' : 'registered']);
  }
});

test('an older token does not replace a newer one', async () => {
  const phone = hangingPhone();
  phone.token = (native) => (native === undefined ? after(phone, 5_000, 'old') : Promise.resolve('new'));
  const registration = phone.tokens.logIn(session('alice'));
  phone.roll('new');
  assert.deepEqual(await registration, { state: 'unchanged' });
  assert.deepEqual(tokensOf(phone), ['new']);
});

test('a user who takes long to answer is asked once, and registered then', async () => {
  for (const permission of ['granted', 'denied'] as const) {
    const phone = hangingPhone();
    phone.permission = permission;
    phone.asked = after(phone, 40_000, undefined);
    const registration = phone.tokens.logIn(session('alice'));
    phone.roll(phone.pushToken);
    const outcome = await registration;
    assert.match(outcome.state === 'failed' ? String(outcome.error) : '', /no answer from the permission/);
    assert.equal(phone.questions, 1);
    assert.equal(phone.sent.length, 0);
    await until(() => phone.clock.idle());
    assert.equal(phone.sent.length, permission === 'granted' ? 1 : 0);
    assert.ok(phone.reported.some((o) => o.state === (permission === 'granted' ? 'registered' : 'denied')));
    assert.ok(permission === 'granted' || phone.questions === 1, 'who has denied is not asked again');
  }
});

test('a question that is never answered does not keep the next one from being asked', async () => {
  const phone = hangingPhone();
  phone.asked = never();
  assert.equal((await phone.tokens.logIn(session('alice'))).state, 'failed');
  phone.asked = Promise.resolve();
  assert.equal((await phone.tokens.logIn(session('alice'))).state, 'registered');
});

test('the token of the next user is asked for when the former one was made invalid', async () => {
  const phone = phoneThatWorks();
  await phone.tokens.logIn(session('alice'));
  const order: string[] = [];
  phone.answer = ((answer) => (sent) => (sent.method === 'DELETE' ? status(401) : answer(sent)))(phone.answer);
  phone.silence = async () => void order.push('silenced');
  phone.token = async () => {
    order.push('asked');
    return 'next';
  };
  const left = phone.tokens.logOut(async () => void order.push('dropped'));
  assert.equal((await phone.tokens.logIn(session('bob'))).state, 'registered');
  await left;
  assert.deepEqual(order, ['silenced', 'dropped', 'asked']);
});

test('a phone that cannot listen registers all the same', async () => {
  const phone = phoneThatWorks();
  phone.listening = throwing;
  assert.equal((await phone.tokens.logIn(session('alice'))).state, 'registered');
  assert.deepEqual(phone.reported.map((o) => o.state), ['failed']);
});
