// A phone without Expo: ports whose clock runs only when a test says so.
import { DeviceTokens, type Outcome } from '../src/registration';
import type { Clock, Fetch, NativeToken, Permission, Ports, Session, Store } from '../src/ports';

/** A clock whose timers fire as soon as nothing else is to be done, at the time they were set for. */
export class FakeClock implements Clock {
  time = Date.UTC(2026, 10, 23, 9);
  /** The waits that were set, in milliseconds, but for those that bound a request. */
  readonly waits: number[] = [];

  now() {
    return this.time;
  }

  after(milliseconds: number, f: () => void) {
    if (milliseconds === 15_000) {
      return () => undefined; // the bound of a request
    }
    this.waits.push(milliseconds);
    const timer = setImmediate(() => {
      this.time += milliseconds;
      f();
    });
    return () => clearImmediate(timer);
  }
}

/** A request as the backend gets it. */
export interface Sent {
  method: string;
  url: string;
  user: string;
  body: unknown;
}

export class Phone {
  readonly clock = new FakeClock();
  readonly sent: Sent[] = [];
  readonly reported: Outcome[] = [];
  readonly kept: Map<string, string>;
  permission: Permission = 'granted';
  /** Ends when the user has answered whether the app may notify. */
  asked: Promise<void> = Promise.resolve();
  pushToken = 'ExponentPushToken[first]';
  silenced = 0;
  listeners: ((native: NativeToken) => void)[] = [];
  /** Answers in place of the backend, while it returns something. */
  answer: (sent: Sent) => Response | undefined | Promise<Response | undefined> = () => undefined;
  readonly store: Store;
  readonly tokens: DeviceTokens;

  /** A phone that has kept what another one has is the same phone, launched again. */
  constructor(readonly baseUrl: string, kept = new Map<string, string>()) {
    this.kept = kept;
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

  private ports(): Ports {
    const phone = this;
    return {
      store: this.store,
      clock: this.clock,
      fetch: this.fetch,
      uuid: () => crypto.randomUUID(),
      random: () => 0,
      push: {
        platform: 'ios',
        projectId: '@example/app',
        permission: () => phone.asked.then(() => phone.permission),
        token: async () => phone.pushToken,
        onRoll(listener) {
          phone.listeners.push(listener);
          return () => void (phone.listeners = phone.listeners.filter((l) => l !== listener));
        },
        silence: async () => void phone.silenced++,
      },
    };
  }

  private readonly fetch: Fetch = async (url, init) => {
    const sent = {
      method: init.method,
      url: url.slice(this.baseUrl.length),
      user: (init.headers['Authorization'] ?? '').replace('Bearer ', ''),
      body: init.body === undefined ? undefined : (JSON.parse(init.body) as unknown),
    };
    this.sent.push(sent);
    return (await this.answer(sent)) ?? fetch(url, init);
  };
}

/** A user whose credential is, as examples/local has it, the user id. */
export function session(userId: string): Session {
  return { userId, credential: async () => userId };
}

export function status(code: number, headers: Record<string, string> = {}): Response {
  return new Response(code === 204 ? null : '{}', { status: code, headers });
}
