// The interfaces to the phone. expo.ts implements them for an app; the tests have their own implementation.

/** Stores small texts across launches of the app. */
export interface Store {
  get(name: string): Promise<string | null>;
  set(name: string, value: string): Promise<void>;
}

/** The native token of a phone, as the listener receives it. It is opaque here. */
export type NativeToken = unknown;

/** Whether the phone may be notified at all. */
export type Permission = 'granted' | 'denied' | 'unsupported';

/** The phone's side of push notifications. */
export interface Push {
  readonly platform: 'ios' | 'android';
  /** The Expo project that the token belongs to. */
  readonly projectId: string;
  /** Asks for the permission, unless the user has granted or denied it before. */
  permission(): Promise<Permission>;
  /** Returns the Expo push token. native is the native token that the listener received, if any. */
  token(native?: NativeToken): Promise<string>;
  /** Calls the listener whenever the token changes, until the returned function is called. */
  onRoll(listener: (native: NativeToken) => void): () => void;
  /** Invalidates the phone's own token, so that nothing reaches the phone until token is called again. */
  silence(): Promise<void>;
}

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls f after that many milliseconds, unless the returned function is called before. */
  after(milliseconds: number, f: () => void): () => void;
}

/** The part of the global fetch that is used. */
export type Fetch = (
  url: string,
  init: { method: string; headers: Record<string, string>; body?: string; redirect: 'error'; signal: AbortSignal },
) => Promise<{ status: number; headers: { get(name: string): string | null }; text(): Promise<string> }>;

export interface Ports {
  readonly store: Store;
  readonly push: Push;
  readonly clock: Clock;
  readonly fetch: Fetch;
  /** A new random UUID. */
  uuid(): string;
  /** A random number from 0 to 1. */
  random(): number;
}

/** The session of the user who is logged in. */
export interface Session {
  /** The backend's id of the user, which it also puts into notifications. */
  readonly userId: string;
  /** Returns the bearer token for the backend, renewed if necessary. It is called before each request. */
  credential(): Promise<string>;
}
