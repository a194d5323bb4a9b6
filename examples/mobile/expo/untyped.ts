// Checks that each package has its types. Without them the lines below would not be errors, and the compiler would report the
// missing errors.
import * as Crypto from 'expo-crypto';
import * as Device from 'expo-device';
import * as Notifications from 'expo-notifications';
import * as SecureStore from 'expo-secure-store';
import { Platform } from 'react-native';

export const mistakes = [
  // @ts-expect-error
  Crypto.nothing,
  // @ts-expect-error
  Device.nothing,
  // @ts-expect-error
  Notifications.addPushTokenListener('no function'),
  // @ts-expect-error
  SecureStore.getItemAsync(7),
  // @ts-expect-error
  Platform.nothing,
  // @ts-expect-error
  fetch(7),
];
