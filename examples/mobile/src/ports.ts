// What the logic asks of the phone. expo.ts has it for an app; tests have their own.

/** Keeps small texts across launches of the app. */
export interface Store {
  get(name: string): Promise<string | null>;
  set(name: string, value: string): Promise<void>;
}

/** The native token of a phone, as the listener of its changes has it; opaque here. */
export type NativeToken = unknown;

/** Whether the phone may be notified at all. */
export type Permission = 'granted' | 'denied' | 'unsupported';

/** The phone's side of push notifications. */
export interface Push {
  readonly platform: 'ios' | 'android';
  /** The Expo project, which the token belongs to. */
  readonly projectId: string;
  /** Asks for the permission, unless it was given or refused before. */
  permission(): Promise<Permission>;
  /** The Expo push token; native, if given, is what the listener was called with. */
  token(native?: NativeToken): Promise<string>;
  /** Calls the listener whenever the token rolls, until the function that it returns is called. */
  onRoll(listener: (native: NativeToken) => void): () => void;
  /** Makes the phone's own token invalid, so that nothing reaches it until token is called again. */
  silence(): Promise<void>;
}

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls f after that many milliseconds, unless the function that it returns is called before. */
  after(milliseconds: number, f: () => void): () => void;
}

/** What is used of the global fetch. */
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

/** Who is logged in. */
export interface Session {
  /** The user id that the backend knows the user by, and names in a notification. */
  readonly userId: string;
  /** The bearer token for the backend, renewed if need be. Asked for before each request. */
  credential(): Promise<string>;
}
