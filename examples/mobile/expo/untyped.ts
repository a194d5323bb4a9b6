// The check is worth something only while each package has its types: without them, none of these lines would be an error,
// and the compiler complains of an error that it was told to expect.
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
