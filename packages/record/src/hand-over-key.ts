import { z } from 'zod';

/**
 * The key of a store's hand-over: an age identity (X25519). Its public half, the recipient, goes to jobs that hold no credential;
 * whoever may read the store has the private half, and decrypts what those jobs left.
 */
export const HandOverKey = z.object({
  schema: z.literal('passloop/hand-over-key/v1'),
  identity: z.string().regex(/^AGE-SECRET-KEY-1[0-9A-Z]{58}$/),
  recipient: z.string().regex(/^age1[0-9a-z]{58}$/),
});
export type HandOverKey = z.infer<typeof HandOverKey>;

/** A recipient as it reaches a job: from outside, so its form is checked before anything is encrypted to it. */
export const Recipient = HandOverKey.shape.recipient;

export async function newHandOverKey(): Promise<HandOverKey> {
  const { generateX25519Identity, identityToRecipient } = await import('age-encryption');
  const identity = await generateX25519Identity();
  return { schema: 'passloop/hand-over-key/v1', identity, recipient: await identityToRecipient(identity) };
}

/**
 * Reads a key that a store holds. The recipient must be the identity's own: one that isn't would let its writer read what others
 * encrypt, and nobody else.
 * @returns null where it is no such key
 */
export async function parseHandOverKey(text: string): Promise<HandOverKey | null> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const result = HandOverKey.safeParse(value);
  if (!result.success) return null;
  const { identityToRecipient } = await import('age-encryption');
  const recipient = await identityToRecipient(result.data.identity).catch(() => null);
  return recipient === result.data.recipient ? result.data : null;
}
