import { backOff, inTime, sleep, unlessStopped } from './intime';
import type { components, operations } from './openapi';
import type { Clock, Fetch, Session } from './ports';

export type RegistrationRequest = components['schemas']['RegistrationRequest'];
export type Registered = components['schemas']['Registered'];
type Removal = operations['removeDeviceToken']['parameters']['query'];

/** How a request ended, when it ended for good. */
export type Answer<T> =
  | { state: 'done'; value: T }
  /** The session is not valid any more: the user has to log in again. */
  | { state: 'unauthenticated' }
  /** The backend will not have it, however often it is repeated: a fault to report, with its request id. */
  | { state: 'refused'; status: number; requestId: string | null }
  /** The backend could not be reached, or asked to come back later than there was time for. */
  | { state: 'unreachable' }
  /** It was stopped between two tries. */
  | { state: 'stopped' };

/** How long to go on. */
export interface Patience {
  /** Requests at most. */
  tries: number;
  /** Milliseconds from the first request to the last one, at most. */
  within: number;
  /** Ends it between two tries. A request that is under way is awaited, since the backend may carry it out yet. */
  stop?: AbortSignal;
}

/**
 * How long the backend may yet carry out a request that got no answer, in milliseconds. It has to be longer than a request may
 * take there: a function of Lambda goes on to its timeout, which is 10 seconds in `infrastructure`.
 */
const settling = 30_000;

/** The statuses below 500 that ask to come back later: of a time-out, of a replay that was feared, of the gateway's throttle. */
const later = [408, 425, 429];

/** An answer, as far as it matters. */
interface Received {
  status: number;
  text: string;
  page: boolean;
  retryAfter: string | null;
  requestId: string | null;
}

/** The device tokens API, which is at baseUrl + "/v1/device-tokens". */
export class Client {
  private settled = -Infinity;

  constructor(
    private readonly baseUrl: string,
    private readonly ports: { fetch: Fetch; clock: Clock; random(): number },
  ) {}

  /** When the backend has carried out, or never will, whatever was sent up to now: in the past, unless some got no answer. */
  get settledAt(): number {
    return this.settled;
  }

  register(session: Session, request: RegistrationRequest, patience: Patience): Promise<Answer<Registered>> {
    return this.send(session, 'POST', '', JSON.stringify(request), patience, readRegistered);
  }

  /** Deactivates the device's registration; none is no error. */
  deactivate(session: Session, deviceId: Removal['deviceId'], patience: Patience): Promise<Answer<void>> {
    return this.send(session, 'DELETE', `?deviceId=${encodeURIComponent(deviceId)}`, undefined, patience, readNothing);
  }

  private async send<T>(
    session: Session, method: string, query: string, body: string | undefined, patience: Patience, read: (received: Received) => T,
  ): Promise<Answer<T>> {
    const { clock } = this.ports;
    const deadline = clock.now() + patience.within;
    for (let tried = 1; ; tried++) {
      let wait: number | undefined;
      let sent = false;
      try {
        const credential = await unlessStopped(patience.stop, () => inTime(clock, 'credential()', () => session.credential()));
        if (patience.stop?.aborted) {
          return { state: 'stopped' };
        }
        sent = true;
        const received = await this.once(credential, method, query, body);
        if (received.status < 400) {
          return { state: 'done', value: read(received) };
        }
        if (received.page) {
          throw new Error('the answer is not the backend\'s');
        }
        if (received.status === 401) {
          return { state: 'unauthenticated' };
        }
        if (received.status < 500 && !later.includes(received.status)) {
          return { state: 'refused', status: received.status, requestId: received.requestId };
        }
        wait = retryAfter(received.retryAfter, clock.now());
        sent = received.status >= 500; // it may be something in between that answers
      } catch {
        // No credential, no answer, or one that is not the backend's.
      }
      if (sent) {
        // It may have been carried out, or be yet, or not, and may be repeated.
        this.settled = clock.now() + settling;
      }
      wait ??= backOff(tried, this.ports.random());
      if (tried >= patience.tries || clock.now() + wait > deadline) {
        return { state: 'unreachable' };
      }
      await sleep(clock, wait, patience.stop);
    }
  }

  private async once(credential: string | undefined, method: string, query: string, body: string | undefined): Promise<Received> {
    const abort = new AbortController();
    const exchange = async () => {
      const response = await this.ports.fetch(`${this.baseUrl}/v1/device-tokens${query}`, {
        method,
        headers: { Authorization: `Bearer ${credential}`, ...(body === undefined ? {} : { 'Content-Type': 'application/json' }) },
        // The credential and the token are for the backend only.
        redirect: 'error',
        signal: abort.signal,
        ...(body === undefined ? {} : { body }),
      });
      const text = await response.text();
      return {
        status: response.status,
        text,
        page: /html/i.test(response.headers.get('Content-Type') ?? '') || /^\s*</.test(text),
        retryAfter: response.headers.get('Retry-After'),
        requestId: response.headers.get('X-Request-Id'),
      };
    };
    try {
      return await inTime(this.ports.clock, 'the backend', exchange);
    } finally {
      abort.abort();
    }
  }
}

/** Reads the answer to a registration. A network that asks for a log in of its own answers 200, with a page. */
function readRegistered({ status, text }: Received): Registered {
  const value = JSON.parse(text) as Partial<Registered> | null;
  const members = [value?.deviceId, value?.platform, value?.registeredAt, value?.updatedAt, value?.expiresAt];
  if (status < 200 || status > 201 || members.some((member) => typeof member !== 'string')) {
    throw new Error('the answer is not the backend\'s');
  }
  return value as Registered;
}

/** Reads the answer to a log out. */
function readNothing({ status }: Received): void {
  if (status !== 204) {
    throw new Error('the answer is not the backend\'s');
  }
}

/** Milliseconds until the time of a Retry-After, which is seconds or a date (RFC 9110); undefined if it is neither. */
export function retryAfter(header: string | null, now: number): number | undefined {
  const text = header?.trim() ?? '';
  if (/^\d+$/.test(text)) {
    return Number(text) * 1000;
  }
  const date = /[A-Za-z]/.test(text) ? Date.parse(text) : NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
