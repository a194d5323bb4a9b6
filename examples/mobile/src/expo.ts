// What ports.ts asks for, of Expo's modules.
import * as Crypto from 'expo-crypto';
import * as Device from 'expo-device';
import * as Notifications from 'expo-notifications';
import * as SecureStore from 'expo-secure-store';
import { Platform } from 'react-native';

import type { Ports } from './ports';
import type { DeviceTokens } from './registration';

/**
 * Returns the ports of this phone. The device id does not leave it: two phones with one id, after a backup was restored to
 * a new one, would take turns at being registered. It can be read while the phone is locked, since the app may be
 * started then.
 */
export function expoPorts(projectId: string): Ports {
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
        if (!Device.isDevice) {
          return 'unsupported'; // a simulator
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
        const given = native === undefined ? {} : { devicePushToken: native as Notifications.DevicePushToken };
        return (await Notifications.getExpoPushTokenAsync({ projectId, ...given })).data;
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

/** Shows what arrives while the app is open, unless it is for somebody else. Call it once, when the app starts. */
export function showOnlyOwn(deviceTokens: DeviceTokens): void {
  Notifications.setNotificationHandler({
    handleNotification: async (notification) => {
      const show = deviceTokens.mayShow(notification.request.content.data);
      return { shouldShowBanner: show, shouldShowList: show, shouldPlaySound: show, shouldSetBadge: show };
    },
  });
}

/** Calls open with what the user tapped on, unless it is for somebody else. Returns what ends that. */
export function onTap(deviceTokens: DeviceTokens, open: (data: Record<string, unknown>) => void): () => void {
  const subscription = Notifications.addNotificationResponseReceivedListener((response) => {
    const { data } = response.notification.request.content;
    if (deviceTokens.mayShow(data)) {
      open(data ?? {});
    }
  });
  return () => subscription.remove();
}
