import { inTime } from './intime';
import type { Ports } from './ports';

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
