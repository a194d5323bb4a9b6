// The implementation of ports.ts with Expo's modules.
import * as Crypto from 'expo-crypto';
import * as Device from 'expo-device';
import * as Notifications from 'expo-notifications';
import * as SecureStore from 'expo-secure-store';
import { Platform } from 'react-native';

import type { NativeToken, Ports } from './ports';
import type { DeviceTokens } from './registration';

/**
 * Returns the ports of this phone. The device id is not part of backups: if a backup took it to a second phone, the two phones
 * would replace each other's registration. It can be read while the phone is locked, because the app may start then.
 */
export function expoPorts(projectId: string): Ports {
  const supported = Platform.OS === 'android' || (Platform.OS === 'ios' && Device.isDevice);
  let asked = false; // whether the last call of token() has not succeeded
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
          return 'unsupported'; // the iOS simulator or a browser; Android emulators have tokens
        }
        if (Platform.OS === 'android') {
          // Android 13 and later ask for the permission only after a channel exists.
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
        // Pass on the native token that the listener received: asking for it again would call the listener again.
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
 * Asks the native module for the phone's token. expo-notifications asks only once: while its promise is pending, and after it
 * was rejected, it returns the same promise as long as the app runs (getDevicePushTokenAsync.ts in 58.0.2).
 */
async function askAgain(): Promise<NativeToken> {
  const { expo } = globalThis as { expo?: { modules?: { ExpoPushTokenManager?: { getDevicePushTokenAsync?(): Promise<string> } } } };
  const data = await expo?.modules?.ExpoPushTokenManager?.getDevicePushTokenAsync?.();
  return data === undefined ? undefined : { type: Platform.OS, data };
}

/** Shows notifications that arrive while the app is open, unless they are for another user. Call it once, when the app starts. */
export function showOnlyOwn(deviceTokens: DeviceTokens): void {
  Notifications.setNotificationHandler({
    handleNotification: async (notification) => {
      const show = deviceTokens.mayShow(notification.request.content.data);
      return { shouldShowBanner: show, shouldShowList: show, shouldPlaySound: show, shouldSetBadge: show };
    },
  });
}

/**
 * Calls open with the data of each notification that the user taps on, unless it is for another user. A tap that opened the app
 * is held until the session is known. Call onTap once, when the app starts. The function that it returns ends it.
 */
export function onTap(deviceTokens: DeviceTokens, open: (data: Record<string, unknown>) => void): () => void {
  let last: string | undefined;
  const tapped = (response: Notifications.NotificationResponse) => {
    const { date, request } = response.notification;
    const tap = JSON.stringify([request.identifier, date, response.actionIdentifier]);
    if (tap === last) {
      return; // the listener may also be called with the tap that opened the app
    }
    last = tap;
    deviceTokens.tapped(request.content.data, () => {
      ifAvailable(Notifications.clearLastNotificationResponse); // so that it is not opened again after a reload
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

/** Calls f, and returns undefined if the platform does not have it, in which case it throws. */
function ifAvailable<T>(f: () => T): T | undefined {
  try {
    return f();
  } catch {
    return undefined;
  }
}
