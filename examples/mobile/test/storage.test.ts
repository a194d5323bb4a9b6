// The device id, while the phone's storage fails.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Phone, phoneThatWorks, registered, session, status, until } from './phone';

const name = 'deviceTokens.deviceId';
const broken = () => Promise.reject(new Error('could not decrypt the value'));
const idsOf = (phone: Phone) => phone.sent.map((s) => (s.body as { deviceId?: string } | undefined)?.deviceId);

test('a device id that cannot be read is made anew, and kept', async () => {
  const phone = phoneThatWorks();
  phone.kept.set(name, 'unreadable');
  phone.store.get = broken;
  assert.equal((await phone.tokens.logIn(session('alice'))).state, 'registered');
  const [id] = idsOf(phone);
  assert.match(id ?? '', /^[0-9a-f-]{36}$/);
  assert.equal(phone.kept.get(name), id);
});

test('a device id that cannot be kept lasts for the launch, and is kept as soon as that works', async () => {
  const phone = phoneThatWorks();
  const { set } = phone.store;
  phone.store.set = broken;
  assert.equal((await phone.tokens.logIn(session('alice'))).state, 'registered');
  phone.roll('ExponentPushToken[second]');
  await until(() => phone.reported.length === 1);
  assert.equal(phone.kept.size, 0);
  phone.store.set = set;
  phone.roll('ExponentPushToken[third]');
  await until(() => phone.reported.length === 2);
  const ids = idsOf(phone);
  assert.deepEqual(ids, [ids[0], ids[0], ids[0]]);
  assert.equal(phone.kept.get(name), ids[0]);
});

test('a kept text that the backend would refuse is no device id', async () => {
  for (const kept of ['', ' ', 'a\nb', 'é', '\ud800', 'x'.repeat(129)]) {
    const phone = phoneThatWorks();
    phone.kept.set(name, kept);
    await phone.tokens.logIn(session('alice'));
    assert.match(idsOf(phone)[0] ?? '', /^[0-9a-f-]{36}$/);
  }
  for (const kept of ['x'.repeat(128), 'an-id.of:an_earlier~app']) {
    const phone = phoneThatWorks();
    phone.kept.set(name, kept);
    let written = 0;
    phone.store.set = async () => void written++;
    await phone.tokens.logIn(session('alice'));
    assert.deepEqual(idsOf(phone), [kept]);
    assert.equal(written, 0);
  }
});

test('a log out under an id that nothing was registered under does not count', async () => {
  for (const [why, registers, supported, want] of [
    ['the launch did not register', false, true, { deactivated: false, silenced: true }],
    ['it did, which moved the token', true, true, { deactivated: true, silenced: false }],
    ['there never was a registration', false, false, { deactivated: true, silenced: false }],
  ] as const) {
    const phone = phoneThatWorks();
    phone.store.get = broken;
    phone.permission = supported ? 'granted' : 'unsupported';
    phone.answer = (sent) => (sent.method === 'DELETE' ? status(204) : registers ? registered() : status(422));
    await phone.tokens.logIn(session('alice'));
    assert.deepEqual(await phone.tokens.logOut(async () => undefined), want, why);
  }
});

test('without a device id, a log out makes the token invalid', async () => {
  const phone = phoneThatWorks();
  phone.uuid = () => {
    throw new Error('no random numbers');
  };
  assert.equal((await phone.tokens.logIn(session('alice'))).state, 'failed');
  let dropped = false;
  assert.deepEqual(await phone.tokens.logOut(async () => void (dropped = true)), { deactivated: false, silenced: true });
  assert.ok(dropped);
});
