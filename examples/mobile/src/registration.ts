import { Client, type Answer, type Registered } from './client';
import { deviceId } from './deviceid';
import type { NativeToken, Ports, Session } from './ports';
import { isFor } from './recipient';

/** How a registration ended. After 'unreachable' and 'failed' the next launch tries again. */
export type Outcome =
  | Exclude<Answer<Registered>, { state: 'done' }>
  | { state: 'registered'; registration: Registered }
  /** The user does not want notifications, or this is no phone. */
  | { state: 'denied' | 'unsupported' }
  /** The phone said that its token rolled, but it is the one that is registered. */
  | { state: 'unchanged' }
  /** The phone gave no token, or the device id could not be kept. */
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

/**
 * Keeps the backend told which phone its user is reached on. There is one of it in an app. It sends one request at a
 * time, since of two that are under way at once the backend may carry out the earlier one last.
 */
export class DeviceTokens {
  private readonly client: Client;
  private readonly deviceId: () => Promise<string>;
  private session: Session | undefined;
  private registered: string | undefined; // the token, since the log in
  private stop = new AbortController();
  private stopListening: (() => void) | undefined;
  private last: Promise<unknown> = Promise.resolve();
  private leaving: Promise<LogOut> | undefined;

  /** report is told how each registration ended that the app did not ask for: those of a token that rolled. */
  constructor(baseUrl: string, private readonly ports: Ports, private readonly report: (outcome: Outcome) => void) {
    this.client = new Client(baseUrl, ports);
    this.deviceId = deviceId(ports);
  }

  /** Registers the phone. Call it at each launch with a session, and after each log in. */
  async logIn(session: Session): Promise<Outcome> {
    await this.leaving?.catch(() => undefined);
    this.end();
    this.session = session;
    this.stop = new AbortController();
    const { signal } = this.stop;
    this.stopListening = this.ports.push.onRoll((native) => {
      void this.register(session, signal, native).then(this.report);
    });
    return this.register(session, signal);
  }

  /**
   * Tells the backend that the phone is logged out, and only then drops the session, without which it could not. If the
   * backend cannot be told, or may carry out a registration after it that got no answer, the phone's own token is made
   * invalid, so that what is sent to the user still does not arrive; the next registration of the phone, whoever's it is,
   * takes the token over anyway. The session is dropped in any case.
   */
  logOut(dropSession: () => Promise<void>): Promise<LogOut> {
    this.leaving ??= this.leave(dropSession).finally(() => {
      this.leaving = undefined;
    });
    return this.leaving;
  }

  /** Says whether a notification with these data may be shown now. */
  mayShow(data: unknown): boolean {
    return isFor(data, this.session?.userId);
  }

  private async leave(dropSession: () => Promise<void>): Promise<LogOut> {
    const session = this.session;
    this.end();
    let deactivated = false;
    let undone = false; // perhaps, by what comes late
    let silenced = false;
    try {
      if (session) {
        deactivated = await this.inTurn(async () => {
          undone = this.unsettled();
          const answer = await this.client.deactivate(session, await this.deviceId(), loggingOut);
          return answer.state === 'done';
        }).catch(() => false);
      }
      if (!deactivated || undone) {
        silenced = await this.ports.push.silence().then(() => true, () => false);
      }
    } finally {
      await dropSession();
    }
    return { deactivated, silenced };
  }

  /** Ends the session here: nothing is shown to its user, no token of its phone is registered, and no request repeated. */
  private end(): void {
    this.stopListening?.();
    this.stopListening = undefined;
    this.session = undefined;
    this.registered = undefined;
    this.stop.abort();
  }

  private register(session: Session, stop: AbortSignal, native?: NativeToken): Promise<Outcome> {
    return this.inTurn(async (): Promise<Outcome> => {
      const { push } = this.ports;
      try {
        // Not awaited longer than the session lasts: a user who does not answer must not keep a log out waiting.
        const got = await unlessStopped(stop, async () => {
          const permission = await push.permission();
          return permission === 'granted' ? { token: await push.token(native), deviceId: await this.deviceId() } : { permission };
        });
        if (got === undefined) {
          return { state: 'stopped' };
        }
        if ('permission' in got) {
          return { state: got.permission };
        }
        // Asking for the native token calls the listener too, at each launch.
        if (native !== undefined && got.token === this.registered) {
          return { state: 'unchanged' };
        }
        const undone = this.unsettled();
        const request = { deviceId: got.deviceId, expoPushToken: got.token, platform: push.platform, projectId: push.projectId };
        const answer = await this.client.register(session, request, { ...registering, stop });
        if (answer.state !== 'done') {
          return answer;
        }
        if (!stop.aborted) {
          this.registered = got.token;
          if (undone) {
            this.registerAgain(session, stop);
          }
        }
        return { state: 'registered', registration: answer.value };
      } catch (error) {
        return { state: 'failed', error };
      }
    });
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

  /** Says whether the backend may yet carry out a request that it did not answer. */
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

/** What f returns, or undefined as soon as it is stopped. */
function unlessStopped<T>(stop: AbortSignal, f: () => Promise<T>): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    if (stop.aborted) {
      resolve(undefined);
      return;
    }
    stop.addEventListener('abort', () => resolve(undefined));
    f().then(resolve, reject);
  });
}
