import type { Clock } from './ports';

/** The time-out of each call to native code, storage, the network and the app, in milliseconds. */
export const timeout = 15_000;

/** The error of a call that did not settle in time. */
export class TimeoutError extends Error {
  constructor(what: string) {
    super(`no answer from ${what} within ${timeout / 1000} seconds`);
    this.name = 'TimeoutError';
  }
}

/**
 * Calls f and returns its result, or rejects with a TimeoutError, because a promise of native code may never settle. A result
 * that arrives after the time-out is passed to late.
 */
export function inTime<T>(clock: Clock, what: string, f: () => Promise<T>, late?: (result: T) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    let over = false;
    const cancel = clock.after(timeout, () => {
      over = true;
      reject(new TimeoutError(what));
    });
    const settle = async () => {
      try {
        const result = await f();
        if (over) {
          late?.(result);
        } else {
          resolve(result);
        }
      } catch (error) {
        reject(error); // without effect after the time-out
      } finally {
        cancel();
      }
    };
    void settle();
  });
}

/** Returns the result of f, or undefined as soon as stop is aborted. */
export function unlessStopped<T>(stop: AbortSignal | undefined, f: () => Promise<T>): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const stopped = () => resolve(undefined);
    if (stop?.aborted) {
      stopped();
      return;
    }
    stop?.addEventListener('abort', stopped);
    f().then(resolve, reject).finally(() => stop?.removeEventListener('abort', stopped));
  });
}

/** Waits for that many milliseconds, or until stop is aborted. */
export async function sleep(clock: Clock, milliseconds: number, stop?: AbortSignal): Promise<void> {
  let cancel = () => {};
  await unlessStopped(stop, () => new Promise<void>((resolve) => (cancel = clock.after(milliseconds, resolve))));
  cancel();
}

/** Returns an exponential backoff of one second up to a minute, reduced by up to half at random, so that phones do not retry in step. */
export function backOff(tried: number, random: number): number {
  return Math.min(60_000, 1000 * 2 ** (tried - 1)) * (1 - random / 2);
}
