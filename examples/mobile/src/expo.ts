// What ports.ts asks for, of Expo's modules.
import * as Crypto from 'expo-crypto';
import * as Device from 'expo-device';
import * as Notifications from 'expo-notifications';
import * as SecureStore from 'expo-secure-store';
import { Platform } from 'react-native';

import type { NativeToken, Ports } from './ports';
import type { DeviceTokens } from './registration';

/**
 * Returns the ports of this phone. The device id does not leave it: two phones with one id, after a backup was restored to
 * a new one, would take turns at being registered. It can be read while the phone is locked, since the app may be
 * started then.
 */
export function expoPorts(projectId: string): Ports {
  const supported = Platform.OS === 'android' || (Platform.OS === 'ios' && Device.isDevice);
  let asked = false; // for the native token, without success
  const options = { keychainAccessible: SecureStore.AFTER_FIRST_UNLOCK_THIS_DEVICE_ONLY };
  return {
    store: {
      get: (name) => SecureStore.getItemAsync(name, options),
      set: (name, value) => SecureStore.setItemAsync(name, value, options),
    },
    push: {
      platform: Platform.OS === 'ios' ? 'ios' : 'android',
      projectId,
      async permission() {
        if (!supported) {
          return 'unsupported'; // the simulator of iOS, or a browser; an emulator of Android has tokens
        }
        if (Platform.OS === 'android') {
          // Android 13 and later ask for the permission only once there is a channel.
          await Notifications.setNotificationChannelAsync('default', {
            name: 'default',
            importance: Notifications.AndroidImportance.DEFAULT,
          });
        }
        const before = await Notifications.getPermissionsAsync();
        const now = before.granted || !before.canAskAgain ? before : await Notifications.requestPermissionsAsync();
        return now.granted ? 'granted' : 'denied';
      },
      async token(native) {
        // The native token goes along when the listener has it: asking for it there would call the listener again.
        const given = native ?? (asked ? await askAgain() : undefined);
        asked = true;
        const token = await Notifications.getExpoPushTokenAsync({
          projectId,
          ...(given === undefined ? {} : { devicePushToken: given as Notifications.DevicePushToken }),
        });
        asked = false;
        return token.data;
      },
      onRoll(listener) {
        const subscription = Notifications.addPushTokenListener(listener);
        return () => subscription.remove();
      },
      silence: () => Notifications.unregisterForNotificationsAsync(),
    },
    clock: {
      now: () => Date.now(),
      after(milliseconds, f) {
        const timer = setTimeout(f, milliseconds);
        return () => clearTimeout(timer);
      },
    },
    fetch: (url, init) => fetch(url, init),
    uuid: () => Crypto.randomUUID(),
    random: () => Math.random(),
  };
}

/**
 * Asks the native module for the phone's token. expo-notifications asks once: while its promise is pending, and after it
 * was rejected, it returns the same one for as long as the app runs (getDevicePushTokenAsync.ts in 58.0.2).
 */
async function askAgain(): Promise<NativeToken> {
  const { expo } = globalThis as { expo?: { modules?: { ExpoPushTokenManager?: { getDevicePushTokenAsync?(): Promise<string> } } } };
  const data = await expo?.modules?.ExpoPushTokenManager?.getDevicePushTokenAsync?.();
  return data === undefined ? undefined : { type: Platform.OS, data };
}

/** Shows the notifications that arrive while the app is open, unless they are for another user. Call it once, when the app starts. */
export function showOnlyOwn(deviceTokens: DeviceTokens): void {
  Notifications.setNotificationHandler({
    handleNotification: async (notification) => {
      const show = deviceTokens.mayShow(notification.request.content.data);
      return { shouldShowBanner: show, shouldShowList: show, shouldPlaySound: show, shouldSetBadge: show };
    },
  });
}

/**
 * Calls open with the data of each notification that the user taps on, unless it is for another user. Call it once, when
 * the app starts. A tap that opened the app is held until the session is known. Returns a function that ends it.
 */
export function onTap(deviceTokens: DeviceTokens, open: (data: Record<string, unknown>) => void): () => void {
  let last: string | undefined;
  const tapped = (response: Notifications.NotificationResponse) => {
    const { date, request } = response.notification;
    const tap = JSON.stringify([request.identifier, date, response.actionIdentifier]);
    if (tap === last) {
      return; // the listener may be called with the response that opened the app, too
    }
    last = tap;
    deviceTokens.tapped(request.content.data, () => {
      ifAvailable(Notifications.clearLastNotificationResponse); // so that it is not opened again when the JavaScript is loaded anew
      open(request.content.data ?? {});
    });
  };
  const subscription = Notifications.addNotificationResponseReceivedListener(tapped);
  const opened = ifAvailable(Notifications.getLastNotificationResponse);
  if (opened) {
    tapped(opened);
  }
  return () => subscription.remove();
}

/** Calls f, which throws where the platform does not have it. */
function ifAvailable<T>(f: () => T): T | undefined {
  try {
    return f();
  } catch {
    return undefined;
  }
}
