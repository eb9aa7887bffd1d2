import type { Store } from '@passloop/record';

export type HandOverKey = { identity: string; recipient: string };

/** The store's hand-over key; null where the store has none yet. */
export async function readHandOverKey(store: Store): Promise<HandOverKey | null> {
  return store.handOverKey();
}

/** The store's hand-over key, made where there is none. */
export async function ensureHandOverKey(store: Store): Promise<HandOverKey> {
  return store.createHandOverKey();
}
