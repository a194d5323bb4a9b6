import { backOff, inTime, sleep, TimeoutError } from './intime';
import type { NativeToken, Permission, Ports } from './ports';

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
