// Calls to the phone, storage, the network and the app that fail, never settle, or settle too late.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { never, Phone, phoneThatWorks, registered, status, throwing, turn, until, works } from './phone';

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
const refuses = () => status(403);
const neither = { deactivated: false, silenced: false };
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
  ['device id, which cannot be made', 'failed', silenced, (phone: Phone) => void (phone.uuid = throwing)],
  ['backend', 'unreachable', silenced, (phone: Phone) => void (phone.answer = never)],
  ['body of an answer', 'unreachable', silenced, (phone: Phone) => void (phone.answer = unanswered)],
  ['silencing', 'refused', neither, (phone: Phone) => void Object.assign(phone, { answer: refuses, silence: never })],
  ['silencing, which throws', 'refused', neither, (phone: Phone) => void Object.assign(phone, { answer: refuses, silence: throwing })],
  ['listener that cannot be removed', 'registered', done, (phone: Phone) => void (phone.unlistened = throwing)],
] as const) {
  test(`a log in, a log out and the next log in end without an answer: ${what}`, async () => {
    const phone = hangingPhone();
    hang(phone);
    assert.equal((await phone.logIn()).state, state);
    let dropped = 0;
    const at = phone.clock.now();
    assert.deepEqual(await phone.logOut(async () => void dropped++), want);
    assert.equal(dropped, 1);
    assert.ok(phone.sent.every((s) => s.signal.aborted), 'a request that was given up goes on');
    assert.ok(phone.clock.now() - at <= 30_000);

    Object.assign(phone, {
      asked: Promise.resolve(), answer: works, token: undefined, silence: undefined, credential: undefined, unlistened: () => {},
      uuid: () => 'phone',
    });
    assert.equal((await phone.logIn('bob')).state, 'registered');
  });
}

test('a session that is never dropped does not keep the next log in waiting', async () => {
  const phone = hangingPhone();
  await phone.logIn();
  const left = assert.rejects(phone.logOut(never), /no answer from dropSession/);
  assert.equal((await phone.logIn('bob')).state, 'registered');
  let dropped = false;
  assert.deepEqual(await phone.logOut(async () => void (dropped = true)), done);
  assert.ok(dropped);
  await left;
});

test('each of two users who log out one after the other has the session dropped', async () => {
  const phone = hangingPhone();
  const began = phone.clock.now();
  await phone.logIn();
  const dropped: string[] = [];
  const left = phone.logOut(async () => void dropped.push('alice'));
  const bob = phone.logIn('bob');
  await phone.logOut(async () => void dropped.push('bob'));
  assert.deepEqual(dropped, ['alice', 'bob']);
  assert.deepEqual([await left, await bob], [done, { state: 'stopped' }]);
  await turn();
  assert.equal(phone.clock.now(), began, 'a time-out was left behind');
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
  const left = phone.logOut();
  void phone.logIn('bob');
  const bobLeft = phone.logOut();
  await left;
  await phone.logIn('carol');
  await bobLeft;
  assert.deepEqual(order, ['silenced', 'silenced', 'asked']);
});

test('a log out does not wait for a credential that a registration waits for', async () => {
  const phone = hangingPhone();
  phone.credential = never;
  const registration = phone.logIn();
  await turn();
  const at = phone.clock.now();
  assert.deepEqual(await phone.logOut(), silenced);
  assert.deepEqual(await registration, { state: 'stopped' });
  assert.ok(phone.clock.now() - at <= 2 * 15_000);
});

test('without a credential nothing was sent that may come late', async () => {
  const phone = hangingPhone();
  let asked = 0;
  phone.credential = () => (asked++ < 6 ? never() : Promise.resolve('alice'));
  assert.deepEqual(await phone.logIn(), { state: 'unreachable' });
  assert.deepEqual(await phone.logOut(), done);
});

test('a token that the listener brings is registered while the phone does not give one', async () => {
  const phone = hangingPhone();
  const began = phone.clock.now();
  phone.token = (native) => (native === undefined ? never() : Promise.resolve('rolled'));
  phone.answer = (sent) => {
    assert.equal(phone.clock.now(), began, 'without waiting for the other');
    return works(sent);
  };
  const registration = phone.logIn();
  phone.roll('rolled');
  assert.deepEqual(await registration, { state: 'unchanged' });
  assert.deepEqual(phone.states, ['registered']);
  assert.deepEqual(phone.members('expoPushToken'), ['rolled']);
});

test('a token that the listener brings after a log in failed is registered', async () => {
  const phone = hangingPhone();
  phone.token = (native) => (native === undefined ? never() : Promise.resolve('rolled'));
  assert.equal((await phone.logIn()).state, 'failed');
  phone.roll('rolled');
  await until(() => phone.reported.length === 1);
  assert.deepEqual(phone.members('expoPushToken'), ['rolled']);
});

test('a token that the phone gives after its time is registered, unless the user has logged out', async () => {
  for (const leaves of [false, true]) {
    const phone = hangingPhone();
    phone.token = () => {
      phone.token = never;
      return after(phone, 20_000, 'slow');
    };
    const registration = phone.logIn();
    if (leaves) {
      await turn();
      await phone.logOut();
    }
    assert.deepEqual(await registration, { state: leaves ? 'stopped' : 'unchanged' });
    await until(() => phone.clock.idle());
    assert.deepEqual(phone.members('expoPushToken'), [leaves ? undefined : 'slow']);
    assert.deepEqual(phone.states, [leaves ? 'stopped' : 'registered']);
  }
});

test('an older token does not replace a newer one', async () => {
  const phone = hangingPhone();
  phone.token = (native) => (native === undefined ? after(phone, 5_000, 'old') : Promise.resolve('new'));
  const registration = phone.logIn();
  phone.roll('new');
  assert.deepEqual(await registration, { state: 'unchanged' });
  assert.deepEqual(phone.members('expoPushToken'), ['new']);
});

test('a user who takes long to answer is asked once, and registered then', async () => {
  for (const permission of ['granted', 'denied'] as const) {
    const phone = hangingPhone();
    phone.permission = permission;
    phone.asked = after(phone, 40_000, undefined);
    const registration = phone.logIn();
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

test('a phone that cannot listen registers all the same', async () => {
  const phone = phoneThatWorks();
  phone.listening = throwing;
  assert.equal((await phone.logIn()).state, 'registered');
  assert.deepEqual(phone.states, ['failed']);
});

const name = 'deviceTokens.deviceId';
const broken = () => Promise.reject(new Error('could not decrypt the value'));

test('a device id that cannot be read is made anew, and kept', async () => {
  const phone = phoneThatWorks();
  phone.kept.set(name, 'unreadable');
  phone.store.get = broken;
  assert.equal((await phone.logIn()).state, 'registered');
  const [id] = phone.members('deviceId');
  assert.match(String(id), /^[0-9a-f-]{36}$/);
  assert.equal(phone.kept.get(name), id);
});

test('a device id that cannot be kept lasts for the launch, and is kept as soon as that works', async () => {
  const phone = phoneThatWorks();
  const { set } = phone.store;
  phone.store.set = broken;
  assert.equal((await phone.logIn()).state, 'registered');
  phone.roll('ExponentPushToken[second]');
  await until(() => phone.reported.length === 1);
  assert.equal(phone.kept.size, 0);
  phone.store.set = set;
  phone.roll('ExponentPushToken[third]');
  await until(() => phone.reported.length === 2);
  const ids = phone.members('deviceId');
  assert.deepEqual(ids, [ids[0], ids[0], ids[0]]);
  assert.equal(phone.kept.get(name), ids[0]);
});

test('a kept text that the backend would refuse is no device id', async () => {
  for (const kept of ['', ' ', 'a\nb', 'é', '\ud800', 'x'.repeat(129)]) {
    const phone = phoneThatWorks();
    phone.kept.set(name, kept);
    await phone.logIn();
    assert.match(String(phone.members('deviceId')[0]), /^[0-9a-f-]{36}$/);
  }
  for (const kept of ['x'.repeat(128), 'an-id.of:an_earlier~app']) {
    const phone = phoneThatWorks();
    phone.kept.set(name, kept);
    let written = 0;
    phone.store.set = async () => void written++;
    await phone.logIn();
    assert.deepEqual(phone.members('deviceId'), [kept]);
    assert.equal(written, 0);
  }
});

test('a log out under an id that nothing was registered under does not count', async () => {
  for (const [why, registers, supported, want] of [
    ['the launch did not register', false, true, silenced],
    ['it did, which moved the token', true, true, done],
    ['there never was a registration', false, false, done],
  ] as const) {
    const phone = phoneThatWorks();
    phone.store.get = broken;
    phone.permission = supported ? 'granted' : 'unsupported';
    phone.answer = (sent) => (sent.method === 'DELETE' ? status(204) : registers ? registered() : status(422));
    await phone.logIn();
    assert.deepEqual(await phone.logOut(), want, why);
  }
});
