import { setTimeout as sleep } from 'node:timers/promises';
import { endAtStop, InfrastructureError } from '@passloop/core';
import {
  type Container,
  type ContainerState,
  containerFailure,
  createContainer,
  createInternalNetwork,
} from './container.ts';
import type { Engine } from './engine.ts';
import { restClient } from './oip-rest.ts';

export type StartLimits = {
  memory?: string | undefined;
  pids?: number | undefined;
  /** Time to become ready. */
  readyMs?: number | undefined;
};

export type IsolatedStart = { healthy: boolean; seconds: number | null; detail: string };

const defaultReadyMs = 120_000;

/**
 * The first start: no network at all, and the image's own health check must say "healthy". It proves that the image holds all that it
 * needs; from outside it cannot be reached.
 */
export async function startIsolated(engine: Engine, image: string, limits: StartLimits = {}): Promise<IsolatedStart> {
  await using container = await createContainer(engine, {
    image,
    purpose: 'isolated',
    network: 'none',
    user: '10001:10001',
    healthIntervalMs: 500,
    memory: limits.memory,
    pids: limits.pids,
  });
  await container.start();
  const limitMs = limits.readyMs ?? defaultReadyMs;
  const started = performance.now();
  for (;;) {
    const state = await container.state();
    if (state.running && state.health === null) {
      return { healthy: false, seconds: null, detail: 'The image has no HEALTHCHECK.' };
    }
    if (state.running && state.health?.status === 'healthy') {
      const seconds = state.health.healthyAt === null ? null : Math.max(0, state.health.healthyAt - state.startedAt);
      return {
        healthy: true,
        seconds,
        detail: 'healthy without network, with a read-only root, as user 10001, without capabilities',
      };
    }
    if (!state.running)
      return {
        healthy: false,
        seconds: null,
        detail: await containerFailure(container, state, 'The image does not serve'),
      };
    if (performance.now() - started > limitMs) {
      const what = `The image is not healthy after ${limitMs / 1000} s (${state.health?.status ?? 'no state'})`;
      return { healthy: false, seconds: null, detail: await containerFailure(container, state, what) };
    }
    await sleep(100);
  }
}

export type ServingContainer = AsyncDisposable & {
  container: Container;
  restUrl: string;
  grpcAddress: string;
  /** Seconds from the start of the process to the first answer that it is ready. */
  readySeconds: number;
};

/**
 * The second start: on a network of its own that has no way out, reached by the container's address. On other systems than Linux,
 * where that address lies inside a virtual machine, by two ports of 127.0.0.1.
 * @throws InfrastructureError with the container's last lines, where it doesn't become ready
 */
export async function startServing(
  engine: Engine,
  image: string,
  options: StartLimits & { user?: string | undefined; reach?: 'address' | 'loopback' | undefined } = {},
): Promise<ServingContainer> {
  const reach = options.reach ?? (process.platform === 'linux' ? 'address' : 'loopback');
  await using stack = new AsyncDisposableStack();
  const network = reach === 'address' ? stack.use(await createInternalNetwork(engine)).name : 'bridge';
  const container = stack.use(
    await createContainer(engine, {
      image,
      purpose: 'probe',
      network,
      user: options.user ?? '10001:10001',
      memory: options.memory,
      pids: options.pids,
      publish: reach === 'loopback' ? [8080, 8081] : [],
    }),
  );
  await container.start();
  const state = await container.state();
  const [restHost, grpcHost] = endpoints(state, reach);
  const failed = (what: string) => async (now: ContainerState) =>
    new InfrastructureError(await containerFailure(container, now, what));
  if (restHost === null || grpcHost === null) throw await failed('The image does not serve')(await container.state());
  const restUrl = `http://${restHost}`;
  let unreachable = 0;
  const seconds = await untilReady(restUrl, state.startedAt, options.readyMs ?? defaultReadyMs, async () => {
    const now = await container.state();
    if (!now.running) return failed('The image does not serve')(now);
    unreachable += now.health?.status === 'healthy' ? 1 : 0;
    return unreachable < 2 ? null : outOfReach(restHost);
  });
  if (seconds === null) {
    throw await failed(`The image is not ready after ${(options.readyMs ?? defaultReadyMs) / 1000} s`)(
      await container.state(),
    );
  }
  const kept = stack.move();
  return {
    container,
    restUrl,
    grpcAddress: grpcHost,
    readySeconds: seconds,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** It says itself that it is ready, twice and some seconds apart, and no request of ours gets there. */
function outOfReach(host: string): InfrastructureError {
  return new InfrastructureError(`The image is healthy, and its address ${host} cannot be reached from here.`, {
    hint: 'Run Passloop on the machine of the engine: a remote engine (DOCKER_HOST) and a rootless one keep the addresses of containers to themselves.',
  });
}

function endpoints(state: ContainerState, reach: 'address' | 'loopback'): [string | null, string | null] {
  if (reach === 'address')
    return state.address === null ? [null, null] : [`${state.address}:8080`, `${state.address}:8081`];
  const [rest, grpc] = [state.ports['8080/tcp'], state.ports['8081/tcp']];
  return [rest === undefined ? null : `127.0.0.1:${rest}`, grpc === undefined ? null : `127.0.0.1:${grpc}`];
}

async function untilReady(
  url: string,
  startedAt: number,
  limitMs: number,
  ended: () => Promise<InfrastructureError | null>,
): Promise<number | null> {
  using client = restClient(url, { timeoutMs: 2000 });
  using stop = new DisposableStack();
  let isStopped = false;
  stop.defer(
    endAtStop('The container', () => {
      isStopped = true;
    }),
  );
  const begun = performance.now();
  let asked = begun;
  while (performance.now() - begun < limitMs) {
    if (isStopped) throw new InfrastructureError('The container was not waited for: the command was interrupted.');
    const status = await client.ready().catch(() => 0);
    if (status === 200) return Math.max(0, Date.now() / 1000 - startedAt);
    if (performance.now() - asked > 1000) {
      const failure = await ended();
      if (failure !== null) throw failure;
      asked = performance.now();
    }
    await sleep(20);
  }
  return null;
}
