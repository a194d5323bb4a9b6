// A phone without Expo: ports with a fake clock.
import { timeout } from '../src/intime';
import type { Clock, Fetch, NativeToken, Permission, Ports, Store } from '../src/ports';
import { DeviceTokens, type LogOut, type Outcome } from '../src/registration';

/** A clock whose timers fire in order, as soon as nothing else is left to do, and set the time to theirs. */
export class FakeClock implements Clock {
  time = Date.UTC(2026, 10, 23, 9);
  /** The waits in milliseconds, without time-outs. */
  readonly waits: number[] = [];
  /** Whether time-outs fire too. They must not while a real server may need its time. */
  timeouts = false;
  private timers: { at: number; f: () => void }[] = [];

  now() {
    return this.time;
  }

  after(milliseconds: number, f: () => void) {
    if (milliseconds !== timeout) {
      this.waits.push(milliseconds);
    } else if (!this.timeouts) {
      return () => undefined;
    }
    const timer = { at: this.time + milliseconds, f };
    this.timers.push(timer);
    setImmediate(() => this.fire());
    return () => void (this.timers = this.timers.filter((t) => t !== timer));
  }

  /** Reports whether no timer is set. */
  idle() {
    return this.timers.length === 0;
  }

  private fire() {
    const at = Math.min(...this.timers.map((t) => t.at));
    const first = this.timers.find((t) => t.at === at);
    if (first) {
      this.timers = this.timers.filter((t) => t !== first);
      this.time = Math.max(this.time, at);
      first.f();
    }
  }
}

/** A request that the backend receives. */
export interface Sent {
  method: string;
  user: string;
  body: unknown;
  signal: AbortSignal;
}

export class Phone {
  readonly clock = new FakeClock();
  readonly sent: Sent[] = [];
  readonly reported: Outcome[] = [];
  permission: Permission = 'granted';
  /** Resolves when the user has answered the permission dialog. */
  asked: Promise<void> = Promise.resolve();
  questions = 0;
  pushToken = 'ExponentPushToken[first]';
  silenced = 0;
  /** Replacements for functions of the phone, while they are set. */
  token: ((native?: NativeToken) => Promise<string>) | undefined;
  silence: (() => Promise<void>) | undefined;
  listening = () => {};
  unlistened = () => {};
  credential: (() => Promise<string>) | undefined;
  uuid = (): string => crypto.randomUUID();
  listeners: ((native: NativeToken) => void)[] = [];
  /** Answers in place of the backend, unless it returns undefined. */
  answer: (sent: Sent) => Response | undefined | Promise<Response | undefined> = () => undefined;
  readonly store: Store;
  readonly tokens: DeviceTokens;

  /** With the storage of another phone, this is the same phone after another launch. */
  constructor(baseUrl: string, readonly kept = new Map<string, string>()) {
    this.store = {
      get: async (name) => kept.get(name) ?? null,
      set: async (name, value) => void kept.set(name, value),
    };
    this.tokens = new DeviceTokens(baseUrl, this.ports(), (outcome) => this.reported.push(outcome));
  }

  roll(pushToken: string) {
    this.pushToken = pushToken;
    for (const listener of this.listeners) {
      listener({ type: 'ios', data: 'native' });
    }
  }

  /** Logs a user in, whose credential is the user id, as examples/local expects, unless the phone has another one. */
  logIn(userId = 'alice'): Promise<Outcome> {
    return this.tokens.logIn({ userId, credential: () => this.credential?.() ?? Promise.resolve(userId) });
  }

  logOut(dropSession = async () => {}): Promise<LogOut> {
    return this.tokens.logOut(dropSession);
  }

  get states(): string[] {
    return this.reported.map((o) => o.state);
  }

  /** The methods of the requests so far. */
  get methods(): string[] {
    return this.sent.map((s) => s.method);
  }

  /** A member of the bodies of the requests so far. */
  members(name: string): unknown[] {
    return this.sent.map((s) => (s.body as Record<string, unknown> | undefined)?.[name]);
  }

  private ports(): Ports {
    const phone = this;
    return {
      store: this.store,
      clock: this.clock,
      fetch: this.fetch,
      uuid: () => phone.uuid(),
      random: () => 0,
      push: {
        platform: 'ios',
        projectId: '@example/app',
        permission() {
          phone.questions++;
          return phone.asked.then(() => phone.permission);
        },
        token: (native) => phone.token?.(native) ?? Promise.resolve(phone.pushToken),
        onRoll(listener) {
          phone.listening();
          phone.listeners.push(listener);
          return () => {
            phone.listeners = phone.listeners.filter((l) => l !== listener);
            phone.unlistened();
          };
        },
        silence: () => phone.silence?.() ?? Promise.resolve(void phone.silenced++),
      },
    };
  }

  private readonly fetch: Fetch = async (url, init) => {
    const sent = {
      method: init.method,
      user: (init.headers['Authorization'] ?? '').replace('Bearer ', ''),
      body: init.body === undefined ? undefined : (JSON.parse(init.body) as unknown),
      signal: init.signal,
    };
    this.sent.push(sent);
    return (await this.answer(sent)) ?? fetch(url, init);
  };
}

export function status(code: number, headers: Record<string, string> = {}): Response {
  return new Response(code === 204 ? null : '{}', { status: code, headers });
}

/** A promise that native code never settles. */
export const never = () => new Promise<never>(() => undefined);

/** A network without a connection. */
export const offline = () => Promise.reject(new TypeError('offline'));

/** A function of native code that throws at once. */
export const throwing = (): never => {
  throw new Error('native module missing');
};

/** Waits for one turn of the event loop. */
export const turn = () => new Promise(setImmediate);

/** Waits until a condition holds. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) {
    await turn();
  }
}

export const registered = () =>
  new Response(JSON.stringify({ deviceId: 'd', platform: 'ios', registeredAt: '', updatedAt: '', expiresAt: '' }), { status: 201 });

/** The answers of a backend that accepts everything. */
export const works = (sent: Sent) => (sent.method === 'POST' ? registered() : status(204));

export function phoneThatWorks(): Phone {
  const phone = new Phone('http://backend.invalid');
  phone.answer = works;
  return phone;
}
