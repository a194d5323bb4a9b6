// expo.ts on fake modules of Expo.
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { be, phone, type NotificationResponse } from './modules'; // before expo.ts, whose modules it is
import { expoPorts, onTap } from '../src/expo';
import { phoneThatWorks } from './phone';

beforeEach(() => {
  Object.assign(phone, { token: async () => 'ExponentPushToken[first]', granted: true, questions: 0, opened: null });
  phone.taps.clear();
});

test('an emulator of Android has tokens, a simulator of iOS and a browser have none', async () => {
  for (const [os, device, want] of [
    ['ios', true, 'granted'], ['ios', false, 'unsupported'], ['android', true, 'granted'], ['android', false, 'granted'],
    ['web', true, 'unsupported'], ['web', false, 'unsupported'], ['windows', true, 'unsupported'], ['macos', true, 'unsupported'],
  ] as const) {
    be(os, device);
    const { push } = expoPorts('project');
    assert.equal(await push.permission(), want, `${os}, ${device}`);
    if (want === 'granted') {
      assert.equal(push.platform, os);
    }
  }
  phone.granted = false;
  be('android', true);
  assert.equal(await expoPorts('project').push.permission(), 'denied');
});

test('a token that failed is asked for past the promise that expo-notifications keeps', async () => {
  be('android', true);
  const { push } = expoPorts('project');
  const asked: unknown[] = [];
  phone.token = async (native) => {
    asked.push(native?.data);
    if (native === undefined) {
      throw new Error('SERVICE_NOT_AVAILABLE');
    }
    return `ExponentPushToken[${String(native.data)}]`;
  };
  await assert.rejects(push.token());
  await assert.rejects(push.token(), 'the native module is not there');
  const expo = { modules: { ExpoPushTokenManager: { getDevicePushTokenAsync: async () => 'fcm' } } };
  Object.assign(globalThis, { expo });
  assert.equal(await push.token(), 'ExponentPushToken[fcm]');
  await assert.rejects(push.token(), 'after a success, Expo is asked first');
  assert.equal(await push.token({ type: 'android', data: 'rolled' }), 'ExponentPushToken[rolled]');
  assert.deepEqual(asked, [undefined, undefined, 'fcm', undefined, 'rolled']);
});

const tap = (identifier: string, data: Record<string, unknown> | null, date = 1): NotificationResponse => ({
  actionIdentifier: 'default', notification: { date, request: { identifier, content: { data } } },
});

test('the tap that opened the app is opened once, when the session is known', async () => {
  be('ios', true);
  const user = phoneThatWorks();
  const opened: unknown[] = [];
  const first = tap('first', { recipient: 'alice', screen: 'inbox' });
  phone.opened = first;
  const end = onTap(user.tokens, (data) => opened.push(data['screen']));
  assert.deepEqual(opened, []);
  assert.equal(phone.opened, first, 'not cleared before it is opened');
  await user.logIn();
  assert.deepEqual(opened, ['inbox']);
  phone.taps.forEach((listener) => listener(first)); // as a listener may be called, for the same tap
  assert.deepEqual(opened, ['inbox']);
  assert.equal(phone.opened, null, 'nor opened again when the JavaScript is loaded anew');

  for (const response of [
    tap('second', { recipient: 'alice', screen: 'second' }), tap('second', { recipient: 'alice', screen: 'again' }, 2),
    tap('third', { recipient: 'bob', screen: 'third' }), tap('fourth', null),
  ]) {
    phone.taps.forEach((listener) => listener(response));
  }
  assert.deepEqual(opened, ['inbox', 'second', 'again', undefined]);
  end();
  assert.equal(phone.taps.size, 0);
});

test('in a browser, where Expo keeps no tap, the others are opened', () => {
  be('web', true);
  const { tokens } = phoneThatWorks();
  const opened: unknown[] = [];
  onTap(tokens, (data) => opened.push(data));
  phone.taps.forEach((listener) => listener(tap('first', { screen: 'inbox' })));
  assert.deepEqual(opened, [{ screen: 'inbox' }]);
});
