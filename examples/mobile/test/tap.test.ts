// Taps on notifications. The first one may have opened the app.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Phone, phoneThatWorks, session } from './phone';

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
  await phone.tokens.logIn(session('alice'));
  assert.deepEqual(opened, [undefined, 'alice', 'alice']);
  await phone.tokens.logIn(session('bob'));
  assert.deepEqual(opened, [undefined, 'alice', 'alice'], 'what was for another user is not held on');
});

test('a tap is not held once the app has said who is logged in', async () => {
  const phone = phoneThatWorks();
  await phone.tokens.logIn(session('alice'));
  const during = taps(phone, 'alice', 'bob');
  await phone.tokens.logOut(async () => undefined);
  const between = taps(phone, 'alice');
  await phone.tokens.logIn(session('bob'));
  await phone.tokens.logIn(session('alice'));
  assert.deepEqual([during, between], [['alice'], []]);
});

test('a tap that is held is dropped by a log out', async () => {
  const phone = phoneThatWorks();
  const before = taps(phone, 'alice');
  await phone.tokens.logOut(async () => undefined);
  const afterwards = taps(phone, 'alice');
  await phone.tokens.logIn(session('alice'));
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
  assert.equal((await phone.tokens.logIn(session('alice'))).state, 'registered');
  assert.match(String(await failure), /no screen/);
  assert.deepEqual(opened, ['alice']);
});
