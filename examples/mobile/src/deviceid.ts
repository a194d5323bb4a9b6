import type { Ports } from './ports';

const name = 'deviceTokens.deviceId';

/**
 * Returns a function that returns this installation's device id: made once, the same ever after. It fails if the id
 * cannot be kept, since a new id at each launch would leave a registration behind each time.
 */
export function deviceId(ports: Pick<Ports, 'store' | 'uuid'>): () => Promise<string> {
  let known: Promise<string> | undefined;
  const load = async () => {
    const kept = await ports.store.get(name);
    if (kept) {
      return kept;
    }
    const made = ports.uuid();
    await ports.store.set(name, made);
    return made;
  };
  return () => {
    // Two callers at once must not make two ids.
    known ??= load().catch((error: unknown) => {
      known = undefined;
      throw error;
    });
    return known;
  };
}
