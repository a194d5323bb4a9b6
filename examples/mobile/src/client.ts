import { backOff, inTime, sleep, unlessStopped } from './intime';
import type { components } from './openapi';
import type { Clock, Fetch, Session } from './ports';

export type RegistrationRequest = components['schemas']['RegistrationRequest'];
export type Registered = components['schemas']['Registered'];

/** The final result of a request, after its retries. */
export type Answer<T> =
  | { state: 'done'; value: T }
  /** The session is no longer valid: the user has to log in again. */
  | { state: 'unauthenticated' }
  /** The backend refuses the request, and a retry would not help: report it, with the request id. */
  | { state: 'refused'; status: number; requestId: string | null }
  /** The backend could not be reached, or asked for a longer wait than Patience allows. */
  | { state: 'unreachable' }
  /** The request was stopped between two tries. */
  | { state: 'stopped' };

/** Limits of the retries. */
export interface Patience {
  /** Maximum number of requests. */
  tries: number;
  /** Maximum milliseconds from the first request to the last one. */
  within: number;
  /** Stops the retries. A request in progress is awaited, because the backend may still carry it out. */
  stop?: AbortSignal;
}

/**
 * How long the backend may still carry out a request without an answer, in milliseconds. It must be longer than the backend's
 * own time-out for a request: a Lambda function runs until its time-out, which is 10 seconds in `infrastructure`.
 */
const settling = 30_000;

/** The statuses below 500 that allow a retry: 408 Request Timeout, 425 Too Early, 429 Too Many Requests. */
const later = [408, 425, 429];

/** The parts of an answer that are used. */
interface Received {
  status: number;
  text: string;
  page: boolean;
  retryAfter: string | null;
  requestId: string | null;
}

/** A client of the device tokens API at baseUrl + "/v1/device-tokens". */
export class Client {
  private settled = -Infinity;

  constructor(
    private readonly baseUrl: string,
    private readonly ports: { fetch: Fetch; clock: Clock; random(): number },
  ) {}

  /** The time after which the backend no longer carries out earlier requests without an answer: in the past if there are none. */
  get settledAt(): number {
    return this.settled;
  }

  register(session: Session, request: RegistrationRequest, patience: Patience): Promise<Answer<Registered>> {
    return this.send(session, 'POST', '', JSON.stringify(request), patience, readRegistered);
  }

  /** Deactivates the device's registration. It is no error if there is none. */
  deactivate(session: Session, deviceId: string, patience: Patience): Promise<Answer<void>> {
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
          throw foreign();
        }
        if (received.status === 401) {
          return { state: 'unauthenticated' };
        }
        if (received.status < 500 && !later.includes(received.status)) {
          return { state: 'refused', status: received.status, requestId: received.requestId };
        }
        wait = retryAfter(received.retryAfter, clock.now());
        sent = received.status >= 500; // a gateway may have answered in place of the backend
      } catch {
        // There is no credential, no answer, or an answer that is not the backend's.
      }
      if (sent) {
        // The backend may carry out the request now, later or never. Repeating it is safe.
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
        // A redirect would send the credential and the token to another address.
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

/** The error of an answer that is not the backend's, but of a proxy or a captive portal. */
const foreign = () => new Error('the answer is not the backend\'s');

function readRegistered({ status, text }: Received): Registered {
  const value = JSON.parse(text) as Partial<Registered> | null;
  const members = [value?.deviceId, value?.platform, value?.registeredAt, value?.updatedAt, value?.expiresAt];
  if (status < 200 || status > 201 || members.some((member) => typeof member !== 'string')) {
    throw foreign();
  }
  return value as Registered;
}

function readNothing({ status }: Received): void {
  if (status !== 204) {
    throw foreign();
  }
}

/** Returns the milliseconds until the time of Retry-After, which is seconds or a date (RFC 9110); undefined if it is neither. */
export function retryAfter(header: string | null, now: number): number | undefined {
  const text = header?.trim() ?? '';
  if (/^\d+$/.test(text)) {
    return Number(text) * 1000;
  }
  const date = /[A-Za-z]/.test(text) ? Date.parse(text) : NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
