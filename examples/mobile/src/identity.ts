// What identifies this phone: its device id and its push token.
import { backOff, inTime, sleep, TimeoutError } from './intime';
import type { NativeToken, Permission, Ports } from './ports';

const name = 'deviceTokens.deviceId';

/** This installation of the app. */
export interface Device {
  readonly id: string;
  /** False if there may be a registration under an earlier id that could not be read. */
  certain: boolean;
}

/**
 * Returns a function that returns this installation's device id, which is created once and stored. If the stored id cannot be
 * read, a new one is created, and the next registration moves the token to it. If the new id cannot be stored, it is used
 * until the app ends. Call the function once at a time.
 */
export function device(ports: Pick<Ports, 'store' | 'uuid' | 'clock'>): () => Promise<Device> {
  const { store, clock } = ports;
  let known: Device | undefined;
  let kept = false;
  return async () => {
    if (!known) {
      const read = await inTime(clock, 'the storage', () => store.get(name)).catch(() => undefined);
      kept = usable(read);
      known = usable(read) ? { id: read, certain: true } : { id: ports.uuid(), certain: read !== undefined };
    }
    const { id } = known;
    kept ||= await inTime(clock, 'the storage', () => store.set(name, id)).then(() => true, () => false);
    return known;
  };
}

/** Reports whether the id has a form that the backend accepts; otherwise it would refuse the id at each launch. */
function usable(id: unknown): id is string {
  return typeof id === 'string' && /^[!-~]{1,128}$/.test(id);
}

/** The push token, or the reason why there is none. */
export type PhoneToken =
  | { state: 'granted'; token: string }
  /** The user does not allow notifications, or this device does not support them. */
  | { state: 'denied' | 'unsupported' }
  /** The token is no longer needed. */
  | { state: 'unchanged' };

/** The options of a request for the token. */
export interface Wanted {
  /** The native token that the listener received, if any. */
  native?: NativeToken;
  /** Aborted when the session ends. */
  stop: AbortSignal;
  /** Reports whether a newer token has been registered meanwhile. */
  outdated(): boolean;
  /** Receives an answer of the phone that arrives after the time-out. */
  late(token: Promise<PhoneToken>): void;
}

const tries = 6;

/** Returns a function that asks for the permission and gets the push token, with retries. */
export function phoneToken(ports: Ports): (wanted: Wanted) => Promise<PhoneToken> {
  const { clock, push } = ports;
  let asking: Promise<Permission> | undefined;

  /** Asks for the permission, once at a time, because two requests would show two dialogs. */
  const permission = async (): Promise<Permission> => {
    const asked = (asking ??= Promise.resolve(push.permission()));
    const done = () => {
      if (asking === asked) {
        asking = undefined;
      }
    };
    asked.then(done, done);
    return asked;
  };

  const get = async (wanted: Wanted): Promise<PhoneToken> => {
    for (let tried = 1; ; tried++) {
      if (wanted.stop.aborted || wanted.outdated()) {
        return { state: 'unchanged' };
      }
      let answered: Permission | undefined;
      try {
        answered = await inTime(clock, 'the permission', permission, (answer) => {
          wanted.late(answer === 'granted' ? get(wanted) : Promise.resolve({ state: answer }));
        });
        if (answered !== 'granted') {
          return { state: answered };
        }
        const token = await inTime(clock, 'the push token', () => push.token(wanted.native), (token) => {
          wanted.late(Promise.resolve({ state: 'granted', token }));
        });
        return { state: 'granted', token };
      } catch (error) {
        // Do not retry while the dialog is still open. The next log in asks again, because this request may never settle.
        const open = answered === undefined && error instanceof TimeoutError;
        asking = open ? undefined : asking;
        if (open || tried >= tries) {
          throw error;
        }
      }
      await sleep(clock, backOff(tried, ports.random()));
    }
  };
  return get;
}
