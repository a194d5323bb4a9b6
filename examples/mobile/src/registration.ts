import { Client, type Answer, type Registered } from './client';
import { device, type Device } from './deviceid';
import { inTime, unlessStopped } from './intime';
import { phoneToken, type PhoneToken } from './phonetoken';
import type { NativeToken, Ports, Session } from './ports';
import { isFor } from './recipient';

/** How a registration ended. After 'unreachable' and 'failed' the next launch tries again. */
export type Outcome =
  | Exclude<Answer<Registered>, { state: 'done' }>
  | { state: 'registered'; registration: Registered }
  /** The user does not want notifications, or this device has none. */
  | { state: 'denied' | 'unsupported' }
  /** The token of the phone, or a newer one, is registered already. */
  | { state: 'unchanged' }
  /** The phone gave no token, or has not yet; one that comes later is registered, and reported. */
  | { state: 'failed'; error: unknown };

/** What a log out did before the session was dropped. */
export interface LogOut {
  /** The backend knows that the phone is logged out. */
  deactivated: boolean;
  /** The phone's own token was made invalid: the backend could not be told, or may carry out an earlier registration yet. */
  silenced: boolean;
}

const registering = { tries: 6, within: 5 * 60_000 };
const loggingOut = { tries: 3, within: 8_000 };

/** A tap that waits until it is known who is logged in. */
interface Tap {
  data: unknown;
  open: () => void;
}

/**
 * Keeps the backend told which phone its user is reached on. There is one of it in an app. It sends one request at a
 * time, since of two that are under way at once the backend may carry out the earlier one last.
 */
export class DeviceTokens {
  private readonly client: Client;
  private readonly device: () => Promise<Device>;
  private readonly phoneToken: ReturnType<typeof phoneToken>;
  private session: Session | undefined;
  private known = false; // whether there is a session
  private taps: Tap[] = [];
  private registered: string | undefined; // the token, since the log in
  private begun = 0; // registrations
  private newest = 0; // of those that were begun, the last one that was registered
  private unsupported = false;
  private stop = new AbortController();
  private stopListening: (() => void) | undefined;
  private last: Promise<unknown> = Promise.resolve();
  private leaving: Promise<LogOut> | undefined;

  /** report is told how each registration ended that logIn did not return: of a token that rolled, or came late. */
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
      void Promise.resolve().then(() => this.tapped(data, open)); // what it throws is not for logIn
    }
    return outcome;
  }

  /**
   * Tells the backend that the phone is logged out, and only then drops the session, without which it could not. If the
   * backend cannot be told, or may carry out a registration after it that got no answer, the phone's own token is made
   * invalid, so that messages to the user do not arrive any more; the next registration of the phone, by any user, moves
   * the token to that user. The session is dropped in any case. The result rejects if dropSession does, or does not end in time.
   */
  logOut(dropSession: () => Promise<void>): Promise<LogOut> {
    if (this.leaving && !this.session) {
      return this.leaving; // the same log out
    }
    const leaving = this.leave(dropSession).finally(() => {
      if (this.leaving === leaving) {
        this.leaving = undefined;
      }
    });
    this.leaving = leaving;
    return leaving;
  }

  /** Reports whether a notification with these data may be shown now. */
  mayShow(data: unknown): boolean {
    return isFor(data, this.session?.userId);
  }

  /**
   * Calls open if a notification with these data, which the user tapped on, may be shown. A tap that opened the app comes
   * before the app has said who is logged in: it is held until the first logIn or logOut.
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
      let undone = false; // perhaps, by what comes late
      let silenced = false;
      try {
        if (session) {
          undone = this.unsettled();
          const { id, certain } = await this.device();
          const answer = await this.client.deactivate(session, id, loggingOut);
          deactivated = answer.state === 'done' && (certain || this.unsupported);
        }
      } catch {
        // No device id can be made: the backend cannot be told.
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

  /** Ends the session here: nothing is shown to its user, no token of its phone is registered, and no request repeated. */
  private end(): void {
    const { stopListening } = this;
    this.stopListening = undefined;
    this.session = undefined;
    this.registered = undefined;
    this.stop.abort();
    try {
      stopListening?.();
    } catch {
      // It is called in vain from now on: its signal is aborted.
    }
  }

  private register(session: Session, stop: AbortSignal, native?: NativeToken): Promise<Outcome> {
    const turn = ++this.begun;
    const finish = (token: Promise<PhoneToken>) => this.finish(session, stop, turn, native, token);
    const get = async () => {
      // A log out may make the phone's token invalid.
      await this.leaving?.catch(() => undefined);
      return this.phoneToken({
        native, stop,
        outdated: () => this.newest >= turn,
        late: (token) => void finish(token).then(this.report),
      });
    };
    return finish(get());
  }

  /** Registers what the phone gives, unless a newer token was registered meanwhile. */
  private async finish(
    session: Session, stop: AbortSignal, turn: number, native: NativeToken, got: Promise<PhoneToken>,
  ): Promise<Outcome> {
    try {
      // Not awaited longer than the session lasts: what the phone does not answer must not keep a log out waiting.
      const phone = await unlessStopped(stop, () => got);
      if (phone === undefined) {
        return { state: 'stopped' };
      }
      this.unsupported = phone.state === 'unsupported';
      if (phone.state !== 'granted') {
        return { state: phone.state };
      }
      return await this.inTurn(async () => {
        // Asking for the native token calls the listener too, at each launch.
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
    device.certain = true; // the token moved to it
    if (!stop.aborted) {
      this.registered = token;
      this.newest = turn;
      if (undone) {
        this.registerAgain(session, stop);
      }
    }
    return { state: 'registered', registration: answer.value };
  }

  /** Registers once more when nothing that got no answer can come late any more, and undo it. */
  private registerAgain(session: Session, stop: AbortSignal): void {
    const { clock } = this.ports;
    const cancel = clock.after(Math.max(0, this.client.settledAt - clock.now()), () => {
      stop.removeEventListener('abort', cancel);
      void this.register(session, stop).then(this.report);
    });
    stop.addEventListener('abort', cancel);
  }

  /** Reports whether the backend may yet carry out a request that it did not answer. */
  private unsettled(): boolean {
    return this.client.settledAt > this.ports.clock.now();
  }

  /** Runs f when all that was begun before has ended. */
  private inTurn<T>(f: () => Promise<T>): Promise<T> {
    const result = this.last.then(f);
    this.last = result.catch(() => undefined);
    return result;
  }
}
