import { inTime } from './intime';
import type { Ports } from './ports';

const name = 'deviceTokens.deviceId';

/** This installation, as the backend knows it. */
export interface Device {
  readonly id: string;
  /** False if there may be a registration under another id, which could not be read. */
  certain: boolean;
}

/**
 * Returns a function that returns this installation's device id, which is made once and kept. If the kept one cannot be
 * read, a new one is made: the next registration moves the token to it. If that cannot be kept, it lasts for this launch.
 * One call at a time.
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

/** Reports whether the backend accepts the id: one of another form would be refused at each launch. */
function usable(id: unknown): id is string {
  return typeof id === 'string' && /^[!-~]{1,128}$/.test(id);
}
