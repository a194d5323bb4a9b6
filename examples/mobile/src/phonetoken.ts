import { backOff, inTime, sleep, TimeoutError } from './intime';
import type { NativeToken, Permission, Ports } from './ports';

/** The push token, or why there is none. */
export type PhoneToken =
  | { state: 'granted'; token: string }
  /** The user does not want notifications, or this device has none. */
  | { state: 'denied' | 'unsupported' }
  /** It is not wanted any more. */
  | { state: 'unchanged' };

/** What a caller asks for. */
export interface Wanted {
  /** What the listener was called with, if it was. */
  native?: NativeToken;
  /** Aborted when the session ends. */
  stop: AbortSignal;
  /** Reports whether a newer token was registered meanwhile. */
  outdated(): boolean;
  /** Gets what the phone answers after its time. */
  late(token: Promise<PhoneToken>): void;
}

const tries = 6;

/** Returns a function that asks for the permission and gets the push token. What fails is repeated, later each time. */
export function phoneToken(ports: Ports): (wanted: Wanted) => Promise<PhoneToken> {
  const { clock, push } = ports;
  let asking: Promise<Permission> | undefined;

  /** Asks for the permission, once at a time: two questions would be two dialogs. */
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
        // A dialog that is still open is not repeated. The next log in asks again, since this question may never settle.
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
