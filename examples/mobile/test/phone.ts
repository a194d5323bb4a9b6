// A phone without Expo: ports with a fake clock.
import { timeout } from '../src/intime';
import { DeviceTokens, type Outcome } from '../src/registration';
import type { Clock, Fetch, NativeToken, Permission, Ports, Session, Store } from '../src/ports';

/** A clock whose timers fire, the earliest first, as soon as nothing else is to be done, at the time they were set for. */
export class FakeClock implements Clock {
  time = Date.UTC(2026, 10, 23, 9);
  /** The waits that were set, in milliseconds, but for time-outs. */
  readonly waits: number[] = [];
  /** Whether time-outs fire too: not while a real server may take its time. */
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

  /** Reports whether nothing waits for its time. */
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

/** A request as the backend gets it. */
export interface Sent {
  method: string;
  url: string;
  user: string;
  body: unknown;
  signal: AbortSignal;
}

export class Phone {
  readonly clock = new FakeClock();
  readonly sent: Sent[] = [];
  readonly reported: Outcome[] = [];
  readonly kept: Map<string, string>;
  permission: Permission = 'granted';
  /** Ends when the user has answered whether the app may notify. */
  asked: Promise<void> = Promise.resolve();
  questions = 0;
  pushToken = 'ExponentPushToken[first]';
  silenced = 0;
  /** What the phone's own functions do in place of what they should, while set. */
  token: ((native?: NativeToken) => Promise<string>) | undefined;
  silence: (() => Promise<void>) | undefined;
  listening = () => {};
  unlistened = () => {};
  credential: (() => Promise<string>) | undefined;
  uuid = (): string => crypto.randomUUID();
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

  /** A user of this phone, who has the credential that the phone says. */
  session(userId: string): Session {
    return { userId, credential: () => this.credential?.() ?? Promise.resolve(userId) };
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
      url: url.slice(this.baseUrl.length),
      user: (init.headers['Authorization'] ?? '').replace('Bearer ', ''),
      body: init.body === undefined ? undefined : (JSON.parse(init.body) as unknown),
      signal: init.signal,
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

/** A promise that native code never settles. */
export const never = () => new Promise<never>(() => undefined);

/** Waits until a condition holds. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) {
    await new Promise(setImmediate);
  }
}

export const registered = () =>
  new Response(JSON.stringify({ deviceId: 'd', platform: 'ios', registeredAt: '', updatedAt: '', expiresAt: '' }), { status: 201 });

/** A phone whose backend accepts everything. */
export function phoneThatWorks(): Phone {
  const phone = new Phone('http://backend.invalid');
  phone.answer = (sent) => (sent.method === 'POST' ? registered() : status(204));
  return phone;
}
