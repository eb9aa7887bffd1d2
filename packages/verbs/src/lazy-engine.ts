import type { Engine } from '@passloop/packaging';
import type { Context } from './context.ts';
import { engineOf } from './image-stage.ts';

/** An engine that is asked for only where something needs it, once, and let go at the end of the block. */
export type LazyEngine = AsyncDisposable & { open(): Promise<Engine> };

export function lazyEngine(context: Context): LazyEngine {
  const stack = new AsyncDisposableStack();
  let opened: Promise<Engine> | null = null;
  return {
    open() {
      opened ??= engineOf(context).then((engine) => stack.use(engine));
      return opened;
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
