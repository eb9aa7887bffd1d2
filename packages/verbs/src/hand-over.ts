import type { Store } from '@passloop/record';

type HandOverKey = { identity: string; recipient: string };
type KeyedStore = Store & {
  handOverKey?: () => Promise<HandOverKey | null>;
  createHandOverKey?: () => Promise<HandOverKey>;
};

/** The store's hand-over key; null where the store has none yet. */
export async function readHandOverKey(store: KeyedStore): Promise<HandOverKey | null> {
  return (await store.handOverKey?.()) ?? null;
}

/** The store's hand-over key, made where there is none. */
export async function ensureHandOverKey(store: KeyedStore): Promise<HandOverKey | null> {
  return (await readHandOverKey(store)) ?? (await store.createHandOverKey?.()) ?? null;
}
