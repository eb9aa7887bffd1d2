import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { temporaryFolder } from '@passloop/core';

const programs = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

export type View = { width: number; scheme?: 'light' | 'dark'; media?: 'screen' | 'print' };

/** A page in a real Chromium that has no network, and what it did there. */
export type OpenPage = {
  /** What the page asked for beside itself, what it logged, and the dialogs that it opened. */
  requests: string[];
  said: string[];
  /** Another file in the same tab. */
  go(file: string): Promise<void>;
  view(view: View): Promise<void>;
  /** The value of an expression in the page. */
  evaluate<T>(expression: string): Promise<T>;
  /** The accessibility tree: role and name of each node that a screen reader meets. */
  accessible(): Promise<{ role: string; name: string }[]>;
  press(key: keyof typeof keys): Promise<void>;
  screenshot(file: string, height?: number): Promise<void>;
};

export type Browser = AsyncDisposable & { open(file: string): Promise<OpenPage> };

const keys = { Tab: { code: 9, text: undefined }, Enter: { code: 13, text: '\r' } };

type Message = { id?: number; method?: string; params?: Record<string, unknown>; result?: unknown; error?: unknown };
type Node = { ignored: boolean; role?: { value: string }; name?: { value: string } };

/** Starts Debian's Chromium, driven over its DevTools protocol. */
export async function openBrowser(): Promise<Browser> {
  const program = programs.find((file) => existsSync(file));
  if (program === undefined) throw new Error('Chromium is missing: apt-get install chromium');
  const profile = await temporaryFolder('chromium');
  const child = spawn(
    program,
    [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--hide-scrollbars',
      '--force-device-scale-factor=1',
      '--remote-debugging-port=0',
      `--user-data-dir=${profile.path}`,
      'about:blank',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'], env: { PATH: process.env.PATH, HOME: profile.path } },
  );
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const port = await new Promise<string>((resolve, reject) => {
    let log = '';
    child.stderr.on('data', (chunk) => {
      log += String(chunk);
      const found = /DevTools listening on ws:\/\/127\.0\.0\.1:(\d+)\//.exec(log);
      if (found?.[1] !== undefined) resolve(found[1]);
    });
    child.once('exit', () => reject(new Error(`Chromium ended:\n${log.slice(-2000)}`)));
  });
  return {
    open: (file) => openPage(port, file),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
      await profile[Symbol.asyncDispose]();
    },
  };
}

async function openPage(port: string, file: string): Promise<OpenPage> {
  const created = await fetch(`http://127.0.0.1:${port}/json/new?about:blank`, { method: 'PUT' });
  const { webSocketDebuggerUrl } = (await created.json()) as { webSocketDebuggerUrl: string };
  const socket = new WebSocket(webSocketDebuggerUrl);
  await new Promise((resolve) => socket.addEventListener('open', resolve, { once: true }));
  const waiting = new Map<number, (message: Message) => void>();
  const listeners = new Map<string, (params: Record<string, unknown>) => void>();
  let last = 0;
  socket.addEventListener('message', ({ data }) => {
    const message = JSON.parse(String(data)) as Message;
    if (message.id !== undefined) waiting.get(message.id)?.(message);
    else if (message.method !== undefined) listeners.get(message.method)?.(message.params ?? {});
  });
  function send<T>(method: string, params: Record<string, unknown> = {}): Promise<T> {
    last += 1;
    const id = last;
    return new Promise((resolve, reject) => {
      waiting.set(id, (message) =>
        message.error === undefined
          ? resolve(message.result as T)
          : reject(new Error(`${method}: ${JSON.stringify(message.error)}`)),
      );
      socket.send(JSON.stringify({ id, method, params }));
    });
  }
  let address = '';
  const requests: string[] = [];
  const said: string[] = [];
  listeners.set('Network.requestWillBeSent', ({ request }) => {
    const { url } = request as { url: string };
    if (url !== address) requests.push(url);
  });
  listeners.set('Log.entryAdded', ({ entry }) => said.push(JSON.stringify(entry)));
  listeners.set('Runtime.consoleAPICalled', (params) => said.push(JSON.stringify(params)));
  listeners.set('Runtime.exceptionThrown', (params) => said.push(JSON.stringify(params)));
  listeners.set('Page.javascriptDialogOpening', ({ message }) => {
    said.push(`dialog: ${message}`);
    void send('Page.handleJavaScriptDialog', { accept: true });
  });
  for (const domain of ['Page', 'Network', 'Log', 'Runtime', 'Accessibility']) await send(`${domain}.enable`);
  async function go(to: string): Promise<void> {
    address = pathToFileURL(to).href;
    const loaded = new Promise<void>((resolve) => listeners.set('Page.loadEventFired', () => resolve()));
    await send('Page.navigate', { url: address });
    await loaded;
  }
  await go(file);

  async function evaluate<T>(expression: string): Promise<T> {
    const { result } = await send<{ result: { value: T } }>('Runtime.evaluate', { expression, returnByValue: true });
    return result.value;
  }
  return {
    go,
    requests,
    said,
    evaluate,
    async view({ width, scheme = 'light', media = 'screen' }) {
      await send('Emulation.setDeviceMetricsOverride', { width, height: 900, deviceScaleFactor: 1, mobile: false });
      await send('Emulation.setEmulatedMedia', { media, features: [{ name: 'prefers-color-scheme', value: scheme }] });
    },
    async accessible() {
      const { nodes } = await send<{ nodes: Node[] }>('Accessibility.getFullAXTree');
      return nodes.flatMap(({ ignored, role, name }) =>
        ignored ? [] : [{ role: role?.value ?? '', name: name?.value ?? '' }],
      );
    },
    async press(key) {
      const { code, text } = keys[key];
      for (const type of ['keyDown', 'keyUp'])
        await send('Input.dispatchKeyEvent', { type, key, code: key, windowsVirtualKeyCode: code, text });
    },
    async screenshot(file, height) {
      const { width, full } = await evaluate<{ width: number; full: number }>(
        '({width: innerWidth, full: document.documentElement.scrollHeight})',
      );
      const clip = { x: 0, y: 0, width, height: Math.min(full, height ?? full), scale: 1 };
      const { data } = await send<{ data: string }>('Page.captureScreenshot', {
        format: 'png',
        captureBeyondViewport: true,
        clip,
      });
      await writeFile(file, Buffer.from(data, 'base64'));
    },
  };
}
