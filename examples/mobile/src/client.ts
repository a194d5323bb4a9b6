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

/** The longest that one request may take, in milliseconds. */
const requestTimeout = 15_000;

/**
 * How long the backend may yet carry out a request that got no answer, in milliseconds. It has to be longer than a request may
 * take there: a function of Lambda goes on to its timeout, which is 10 seconds in `infrastructure`.
 */
const settling = 30_000;

/** The statuses that ask to come back later: the gateway's 429, and the backend's 503. */
const later = [429, 503];

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
    return this.send(session, 'POST', '', JSON.stringify(request), patience, (text) => JSON.parse(text) as Registered);
  }

  /** Deactivates the device's registration; none is no error. */
  deactivate(session: Session, deviceId: Removal['deviceId'], patience: Patience): Promise<Answer<void>> {
    return this.send(session, 'DELETE', `?deviceId=${encodeURIComponent(deviceId)}`, undefined, patience, () => undefined);
  }

  private async send<T>(
    session: Session, method: string, query: string, body: string | undefined, patience: Patience, read: (text: string) => T,
  ): Promise<Answer<T>> {
    const { clock } = this.ports;
    const deadline = clock.now() + patience.within;
    for (let tried = 1; ; tried++) {
      if (patience.stop?.aborted) {
        return { state: 'stopped' };
      }
      let wait: number | undefined;
      try {
        const response = await this.once(session, method, query, body);
        if (response.status === 401) {
          return { state: 'unauthenticated' };
        }
        if (response.status >= 200 && response.status < 300) {
          return { state: 'done', value: read(response.text) };
        }
        if (response.status >= 500) {
          this.settled = clock.now() + settling; // it may be something in between that answers
        }
        if (!later.includes(response.status)) {
          return { state: 'refused', status: response.status, requestId: response.requestId };
        }
        wait = retryAfter(response.retryAfter, clock.now());
      } catch {
        // No answer: it may have been carried out, or be yet, or not, and may be repeated.
        this.settled = clock.now() + settling;
      }
      wait ??= backOff(tried, this.ports.random());
      if (tried >= patience.tries || clock.now() + wait > deadline) {
        return { state: 'unreachable' };
      }
      await sleep(clock, wait, patience.stop);
    }
  }

  private async once(session: Session, method: string, query: string, body: string | undefined) {
    const headers: Record<string, string> = { Authorization: `Bearer ${await session.credential()}` };
    if (body !== undefined) {
      headers['Content-Type'] = 'application/json';
    }
    const abort = new AbortController();
    const cancel = this.ports.clock.after(requestTimeout, () => abort.abort());
    try {
      const url = `${this.baseUrl}/v1/device-tokens${query}`;
      const response = await this.ports.fetch(url, { method, headers, signal: abort.signal, ...(body === undefined ? {} : { body }) });
      return {
        status: response.status,
        text: await response.text(),
        retryAfter: response.headers.get('Retry-After'),
        requestId: response.headers.get('X-Request-Id'),
      };
    } finally {
      cancel();
    }
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

/** One second, two, four and so on to a minute, each less up to half of it at random, so that not all phones come at once. */
function backOff(tried: number, random: number): number {
  return Math.min(60_000, 1000 * 2 ** (tried - 1)) * (1 - random / 2);
}

function sleep(clock: Clock, milliseconds: number, stop?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      cancel();
      stop?.removeEventListener('abort', done);
      resolve();
    };
    const cancel = clock.after(milliseconds, done);
    stop?.addEventListener('abort', done);
    if (stop?.aborted) {
      done();
    }
  });
}
