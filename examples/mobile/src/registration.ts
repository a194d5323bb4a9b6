import { Client, type Answer, type Registered } from './client';
import { device, phoneToken, type Device, type PhoneToken } from './identity';
import { inTime, unlessStopped } from './intime';
import type { NativeToken, Ports, Session } from './ports';

/** The result of a registration. After 'unreachable' and 'failed' the next launch tries again. */
export type Outcome =
  | Exclude<Answer<Registered>, { state: 'done' }>
  | { state: 'registered'; registration: Registered }
  /** The user does not allow notifications, or this device does not support them. */
  | { state: 'denied' | 'unsupported' }
  /** The phone's token, or a newer one, is registered already. */
  | { state: 'unchanged' }
  /** The phone has returned no token. A token that arrives later is registered and reported. */
  | { state: 'failed'; error: unknown };

/** The result of a log out before the session was dropped. */
export interface LogOut {
  /** The backend has deactivated the phone's registration. */
  deactivated: boolean;
  /** The phone's own token was invalidated: the backend was not reached, or may still carry out an earlier registration. */
  silenced: boolean;
}

const registering = { tries: 6, within: 5 * 60_000 };
const loggingOut = { tries: 3, within: 8_000 };

/** A tap that waits until the session is known. */
interface Tap {
  data: unknown;
  open: () => void;
}

/**
 * Keeps the registration of this phone at the backend up to date. An app has one instance. It sends one request at a time,
 * because the backend may carry out the earlier of two concurrent requests last.
 */
export class DeviceTokens {
  private readonly client: Client;
  private readonly device: () => Promise<Device>;
  private readonly phoneToken: ReturnType<typeof phoneToken>;
  private session: Session | undefined;
  private known = false; // whether the app has called logIn or logOut
  private taps: Tap[] = [];
  private registered: string | undefined; // the token that was registered since the log in
  private begun = 0; // number of registrations
  private newest = 0; // number of the last registration that succeeded
  private unsupported = false;
  private stop = new AbortController();
  private stopListening: (() => void) | undefined;
  private last: Promise<unknown> = Promise.resolve();
  private leaving: Promise<LogOut> | undefined;

  /** report receives the outcome of each registration that logIn does not return: of a token that changed or arrived late. */
  constructor(baseUrl: string, private readonly ports: Ports, private readonly report: (outcome: Outcome) => void) {
    this.client = new Client(baseUrl, ports);
    this.device = device(ports);
    this.phoneToken = phoneToken(ports);
  }

  /** Registers the phone. Call it at each launch with a session, and after each log in. */
  async logIn(session: Session): Promise<Outcome> {
    this.end();
    this.session = session;
    this.stop = new AbortController();
    const { signal } = this.stop;
    try {
      this.stopListening = this.ports.push.onRoll((native) => {
        void this.register(session, signal, native).then(this.report);
      });
    } catch (error) {
      this.report({ state: 'failed', error });
    }
    const outcome = this.register(session, signal);
    this.known = true;
    for (const { data, open } of this.taps.splice(0)) {
      void Promise.resolve().then(() => this.tapped(data, open)); // an error of open must not reach logIn
    }
    return outcome;
  }

  /**
   * Deactivates the registration at the backend, which needs the session, and then drops the session. If the backend cannot be
   * reached, or may carry out an unanswered registration afterwards, logOut invalidates the phone's own token, so that messages
   * to the user no longer arrive. The next registration of the phone, by any user, moves the token to that user. The session is
   * dropped in any case. The result rejects if dropSession rejects or does not settle in time.
   */
  logOut(dropSession: () => Promise<void>): Promise<LogOut> {
    if (this.leaving && !this.session) {
      return this.leaving; // a repeated call of the same log out
    }
    const leaving = this.leave(dropSession).finally(() => {
      if (this.leaving === leaving) {
        this.leaving = undefined;
      }
    });
    this.leaving = leaving;
    return leaving;
  }

  /** Reports whether a notification with this data may be shown now. */
  mayShow(data: unknown): boolean {
    return isFor(data, this.session?.userId);
  }

  /**
   * Calls open if a notification with this data, which the user tapped on, may be shown. A tap that opened the app arrives before
   * the session is known, so it is held until the first logIn or logOut.
   */
  tapped(data: unknown, open: () => void): void {
    if (this.mayShow(data)) {
      open();
    } else if (!this.known) {
      this.taps.push({ data, open });
    }
  }

  private leave(dropSession: () => Promise<void>): Promise<LogOut> {
    const { clock, push } = this.ports;
    const session = this.session;
    this.end();
    this.known = true;
    this.taps = [];
    return this.inTurn(async () => {
      let deactivated = false;
      let undone = false; // an earlier request may undo the log out
      let silenced = false;
      try {
        if (session) {
          undone = this.unsettled();
          const { id, certain } = await this.device();
          const answer = await this.client.deactivate(session, id, loggingOut);
          deactivated = answer.state === 'done' && (certain || this.unsupported);
        }
      } catch {
        // No device id can be created, so the backend cannot be told.
      }
      try {
        if (!deactivated || undone) {
          silenced = await inTime(clock, 'the phone', () => push.silence()).then(() => true, () => false);
        }
      } finally {
        await inTime(clock, 'dropSession()', dropSession);
      }
      return { deactivated, silenced };
    });
  }

  /** Ends the session locally: nothing is shown to its user, no token is registered, and no request is retried. */
  private end(): void {
    const { stopListening } = this;
    this.stopListening = undefined;
    this.session = undefined;
    this.registered = undefined;
    this.stop.abort();
    try {
      stopListening?.();
    } catch {
      // Further calls of the listener have no effect, because its signal is aborted.
    }
  }

  private register(session: Session, stop: AbortSignal, native?: NativeToken): Promise<Outcome> {
    const turn = ++this.begun;
    const finish = (token: Promise<PhoneToken>) => this.finish(session, stop, turn, native, token);
    const get = async () => {
      // A log out may invalidate the phone's token.
      await this.leaving?.catch(() => undefined);
      return this.phoneToken({
        native, stop,
        outdated: () => this.newest >= turn,
        late: (token) => void finish(token).then(this.report),
      });
    };
    return finish(get());
  }

  /** Registers the phone's token, unless a newer one was registered meanwhile. */
  private async finish(
    session: Session, stop: AbortSignal, turn: number, native: NativeToken, got: Promise<PhoneToken>,
  ): Promise<Outcome> {
    try {
      // Wait only as long as the session lasts, so that a phone without an answer does not delay a log out.
      const phone = await unlessStopped(stop, () => got);
      if (phone === undefined) {
        return { state: 'stopped' };
      }
      this.unsupported = phone.state === 'unsupported';
      if (phone.state !== 'granted') {
        return { state: phone.state };
      }
      return await this.inTurn(async () => {
        // Asking for the native token also calls the listener, at each launch.
        if (this.newest >= turn || (native !== undefined && phone.token === this.registered)) {
          return { state: 'unchanged' };
        }
        return this.send(session, stop, turn, phone.token);
      });
    } catch (error) {
      return { state: 'failed', error };
    }
  }

  private async send(session: Session, stop: AbortSignal, turn: number, token: string): Promise<Outcome> {
    const { platform, projectId } = this.ports.push;
    const undone = this.unsettled();
    const device = await this.device();
    const request = { deviceId: device.id, expoPushToken: token, platform, projectId };
    const answer = await this.client.register(session, request, { ...registering, stop });
    if (answer.state !== 'done') {
      return answer;
    }
    device.certain = true; // the registration moved the token to this id
    if (!stop.aborted) {
      this.registered = token;
      this.newest = turn;
      if (undone) {
        this.registerAgain(session, stop);
      }
    }
    return { state: 'registered', registration: answer.value };
  }

  /** Registers again when no unanswered request can undo the registration any more. */
  private registerAgain(session: Session, stop: AbortSignal): void {
    const { clock } = this.ports;
    const cancel = clock.after(Math.max(0, this.client.settledAt - clock.now()), () => {
      stop.removeEventListener('abort', cancel);
      void this.register(session, stop).then(this.report);
    });
    stop.addEventListener('abort', cancel);
  }

  /** Reports whether the backend may still carry out a request that it did not answer. */
  private unsettled(): boolean {
    return this.client.settledAt > this.ports.clock.now();
  }

  /** Runs f after all earlier calls have ended. */
  private inTurn<T>(f: () => Promise<T>): Promise<T> {
    const result = this.last.then(f);
    this.last = result.catch(() => undefined);
    return result;
  }
}

/**
 * Reports whether a notification may be shown to the user who is logged in, if any. It may not if its data names another user,
 * because a message that was sent before the phone changed hands may arrive afterwards.
 */
export function isFor(data: unknown, userId: string | undefined): boolean {
  const recipient = (data as { recipient?: unknown } | null | undefined)?.recipient;
  return recipient === undefined || recipient === userId;
}
