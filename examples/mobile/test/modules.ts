// Fakes of Expo's modules and of react-native, as far as expo.ts uses them. The compiler and Node use this file for each of them.
import Module from 'node:module';

const names = ['expo-crypto', 'expo-device', 'expo-notifications', 'expo-secure-store', 'react-native'];
const resolver = Module as unknown as { _resolveFilename(name: string, ...rest: unknown[]): string };
const resolve = resolver._resolveFilename.bind(resolver);
resolver._resolveFilename = (name, ...rest) => (names.includes(name) ? __filename : resolve(name, ...rest));

export interface DevicePushToken {
  type: string;
  data: unknown;
}

export interface NotificationResponse {
  actionIdentifier: string;
  notification: { date: number; request: { identifier: string; content: { data: Record<string, unknown> | null } } };
}

/** The state of the test's phone. */
export const phone = {
  token: async (_native?: DevicePushToken): Promise<string> => 'ExponentPushToken[first]',
  granted: true,
  questions: 0,
  opened: null as NotificationResponse | null,
  taps: new Set<(response: NotificationResponse) => void>(),
};

// expo-device and react-native
export let isDevice = true;
export const Platform = { OS: 'ios' };
export function be(os: string, device: boolean): void {
  Platform.OS = os;
  isDevice = device;
}

// expo-crypto and expo-secure-store
export const randomUUID = () => crypto.randomUUID() as string;
export const AFTER_FIRST_UNLOCK_THIS_DEVICE_ONLY = 1;
export const getItemAsync = async (_name: string, _options: unknown): Promise<string | null> => null;
export const setItemAsync = async (_name: string, _value: string, _options: unknown): Promise<void> => undefined;

// expo-notifications
export const AndroidImportance = { DEFAULT: 3 };
export const setNotificationChannelAsync = async (_id: string, _channel: unknown): Promise<void> => undefined;
export const getPermissionsAsync = async () => ({ granted: false, canAskAgain: true });
export async function requestPermissionsAsync() {
  phone.questions++;
  return { granted: phone.granted };
}
export async function getExpoPushTokenAsync(options: { projectId: string; devicePushToken?: DevicePushToken }) {
  return { data: await phone.token(options.devicePushToken) };
}
export const addPushTokenListener = (_listener: (token: DevicePushToken) => void) => ({ remove() {} });
export const unregisterForNotificationsAsync = async (): Promise<void> => undefined;
export function setNotificationHandler(_handler: {
  handleNotification(notification: NotificationResponse['notification']): Promise<unknown>;
}): void {}
export function addNotificationResponseReceivedListener(listener: (response: NotificationResponse) => void) {
  phone.taps.add(listener);
  return { remove: () => void phone.taps.delete(listener) };
}
export function getLastNotificationResponse(): NotificationResponse | null {
  if (Platform.OS === 'web') {
    throw new Error('the method is not available on web');
  }
  return phone.opened;
}
export function clearLastNotificationResponse(): void {
  if (Platform.OS === 'web') {
    throw new Error('the method is not available on web');
  }
  phone.opened = null;
}
