import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { ask } from './health-request.ts';

type Seen = { path: string; authorization: string | undefined };
type Served = AsyncDisposable & { url: string; seen: Seen[]; server: Server };

async function serve(answer: (path: string, response: ServerResponse) => void): Promise<Served> {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    seen.push({ path: request.url ?? '', authorization: request.headers.authorization });
    answer(request.url ?? '', response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    server,
    seen,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const kibibyte = 1024;

it('gives status and text', async () => {
  await using served = await serve((_, response) => response.writeHead(503).end('not yet'));

  expect(await ask({ url: `${served.url}/ready`, headers: {}, bytes: kibibyte })).toEqual({
    status: 503,
    text: 'not yet',
    isWhole: true,
  });
});

it('reads of a long answer what is wanted, and ends the connection', async () => {
  let closed = false;
  await using served = await serve((_, response) => {
    response.on('close', () => {
      closed = true;
    });
    const part = Buffer.alloc(64 * kibibyte, 'x');
    const write = (): void => {
      while (!response.destroyed && response.write(part));
      if (!response.destroyed) response.once('drain', write);
    };
    write();
  });

  const answer = await ask({ url: served.url, headers: {}, bytes: kibibyte });

  expect(answer).toEqual({ status: 200, text: 'x'.repeat(kibibyte), isWhole: false });
  await expect.poll(() => closed).toBe(true);
});

it('reads no body where none is wanted, and no more of a packed one than is asked for', async () => {
  await using served = await serve((path, response) => {
    if (path === '/endless') response.write('x');
    else response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(10_000_000)));
  });

  expect(await ask({ url: `${served.url}/endless`, headers: {}, bytes: 0 })).toMatchObject({ status: 200, text: '' });
  const packed = await ask({ url: `${served.url}/packed`, headers: {}, bytes: kibibyte });
  expect(packed).toMatchObject({ status: 200, isWhole: false });
  expect('text' in packed ? packed.text.length : 0).toBe(kibibyte);
});

it('gives up on an answer that drips, and on one that never begins', async () => {
  await using served = await serve((path, response) => {
    if (path === '/never') return;
    const timer = setInterval(() => response.write('.'), 20);
    response.on('close', () => clearInterval(timer));
  });

  for (const path of ['/drip', '/never']) {
    const answer = await ask({ url: `${served.url}${path}`, headers: {}, bytes: kibibyte }, { timeoutMs: 300 });
    expect(answer).toEqual({ problem: 'did not answer within 0.3 s' });
  }
});

it('follows redirects on the same host alone, a few of them, and takes no token elsewhere', async () => {
  await using other = await serve((_, response) => response.end('stolen'));
  await using served = await serve((path, response) => {
    const to: Record<string, string> = {
      '/old': '/new',
      '/away': `${other.url}/take`,
      '/sly': `//127.0.0.1:${new URL(other.url).port}/take`,
      '/user': `http://ada:secret@127.0.0.1:${new URL(other.url).port}/`,
      '/round': '/round',
      '/script': 'javascript:alert(1)',
      '/file': 'file:///etc/passwd',
      '/broken': 'http://[',
    };
    const location = to[path];
    if (location === undefined) response.end('there');
    else response.writeHead(302, { location }).end();
  });
  const headers = { authorization: 'Bearer secret' };
  const at = (path: string) => ask({ url: `${served.url}${path}`, headers, bytes: kibibyte });

  expect(await at('/old')).toMatchObject({ status: 200, text: 'there' });
  for (const path of ['/away', '/sly', '/user']) {
    expect(await at(path)).toEqual({
      problem: expect.stringMatching(/^redirects to 127\.0\.0\.1:\d+, which is not followed$/),
    });
  }
  expect(await at('/round')).toEqual({ problem: 'redirects more than 3 times' });
  expect(await at('/script')).toEqual({ problem: expect.stringMatching(/^redirects to /) });
  expect(await at('/file')).toEqual({ problem: expect.stringMatching(/^redirects to /) });
  expect(await at('/broken')).toEqual({ problem: 'redirects to what is no address' });
  expect(other.seen).toEqual([]);
});

it('says how an address failed that nobody answers', async () => {
  let url: string;
  {
    await using served = await serve((_, response) => response.end());
    url = served.url;
  }
  expect(await ask({ url, headers: {}, bytes: 0 })).toEqual({ problem: 'could not be asked (ECONNREFUSED)' });
  await using broken = await serve((_, response) => response.socket?.destroy());
  expect(await ask({ url: broken.url, headers: {}, bytes: 0 })).toEqual({
    problem: expect.stringMatching(/^could not be asked \((UND_ERR_SOCKET|ECONNRESET)\)$/),
  });
});
