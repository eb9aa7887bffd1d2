/** What is to be undone at once, synchronously, when a person or a job ends the command before its work is done. */
const undo = new Set<() => void>();

/** @returns takes the registration back */
export function onInterrupt(action: () => void): () => void {
  undo.add(action);
  return () => undo.delete(action);
}

/** Undoes all that is registered. Called by the face that got the signal, which then ends. */
export function interrupt(): void {
  for (const action of undo) {
    try {
      action();
    } catch {
      // The next ones count as well, and the process ends in any case.
    }
  }
  undo.clear();
}
