import { temporaryFolder } from '@passloop/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { containerFailure, createContainer, createInternalNetwork } from './container.ts';
import { type Engine, openEngine } from './engine.ts';
import { inspectImage } from './image-facts.ts';
import { ensureBase, testEngine } from './testing/images.ts';

let engine: Engine;
let base: string;

beforeAll(async () => {
  engine = await testEngine();
  base = await ensureBase(engine);
}, 300_000);

describe('openEngine', () => {
  it('finds a client that reaches the engine and can build', () => {
    expect(engine.program).toMatch(/^\/.*\/docker$/);
    expect(engine.platform).toMatch(/^linux\//);
    expect(engine.serverVersion).toMatch(/^\d+\./);
  });

  it('takes the classic builder where BuildKit is switched off', async () => {
    const classic = await openEngine({ environment: { ...process.env, DOCKER_BUILDKIT: '0' } });
    expect(classic.builder).toBe('classic');
  });

  it('says what is missing where no engine answers', async () => {
    const environment = { ...process.env, DOCKER_HOST: 'unix:///nowhere/docker.sock' };
    await expect(openEngine({ environment })).rejects.toMatchObject({
      code: 'infrastructure',
      message: expect.stringMatching(/No Docker engine answers.*\/nowhere\/docker\.sock/),
      hint: expect.stringContaining('apt-get install docker.io'),
    });
  });

  it('says what is missing where there is no client', async () => {
    await using empty = await temporaryFolder('path');
    await expect(openEngine({ environment: { PATH: empty.path } })).rejects.toMatchObject({
      code: 'infrastructure',
      message: expect.stringContaining('No Docker client'),
      hint: expect.stringContaining('Install and start one'),
    });
    await expect(openEngine({ program: '/usr/bin/podman', environment: {} })).rejects.toThrow(/named docker/);
  });
});

describe('a container', () => {
  it('carries a hostile label as it is', async () => {
    const hostile = `x'"$(touch /tmp/passloop-pwned)\`id\` && ps ; inspect \\ é😀`;
    await using network = await createInternalNetwork(engine);
    const name = `${network.name}-label`;
    try {
      await engine.run(['create', '--name', name, '--label', `passloop.test=${hostile}`, '--network', 'none', base]);
      const labels = await engine.run(['container', 'inspect', '--format', '{{json .Config.Labels}}', name]);
      expect(JSON.parse(labels)['passloop.test']).toBe(hostile);
    } finally {
      await engine.run(['rm', '--force', name]);
    }
  });

  it('has no root, no capability, no network and nothing to write on', async () => {
    const question = [
      'import json, os',
      'def writes(path):',
      '    try:',
      '        open(path, "w").close(); return True',
      '    except OSError: return False',
      'status = dict(line.split(":\\t", 1) for line in open("/proc/self/status").read().splitlines() if ":\\t" in line)',
      'print(json.dumps({"uid": os.getuid(), "caps": status["CapEff"], "nnp": status["NoNewPrivs"],',
      '  "links": sorted(os.listdir("/sys/class/net")), "root": writes("/x"), "tmp": writes("/tmp/x")}))',
    ].join('\n');
    await using container = await createContainer(engine, {
      image: base,
      purpose: 'test',
      network: 'none',
      user: '10001:10001',
      entrypoint: 'python3',
      command: ['-c', question],
    });
    await container.start();
    expect(await container.wait(60_000)).toBe(0);
    expect(JSON.parse(await container.logs())).toEqual({
      uid: 10001,
      caps: '0000000000000000',
      nnp: '1',
      links: ['lo'],
      root: false,
      tmp: false,
    });
  });

  it('is gone when its block ends, even if the block throws', async () => {
    let name = '';
    const block = async () => {
      await using container = await createContainer(engine, {
        image: base,
        purpose: 'test',
        network: 'none',
        user: '10001',
        entrypoint: 'sleep',
        command: ['60'],
      });
      name = container.name;
      await container.start();
      throw new Error('in the block');
    };
    await expect(block()).rejects.toThrow('in the block');
    const left = await engine.run(['ps', '--all', '--quiet', '--filter', `name=${name}`]);
    expect(left.trim()).toBe('');
  });

  it('leaves nothing where it cannot be created', async () => {
    const request = { image: base, purpose: 'test', network: 'passloop-no-such-network', user: '10001' };
    await expect(
      (async () => {
        await using container = await createContainer(engine, request);
        await container.start();
      })(),
    ).rejects.toThrow(/network/);
    const left = await engine.run([
      'ps',
      '--all',
      '--quiet',
      '--filter',
      'label=passloop.container=test',
      '--filter',
      'status=created',
    ]);
    expect(left.trim()).toBe('');
  });

  it('cannot speak to the runner through its log', async () => {
    await using container = await createContainer(engine, {
      image: base,
      purpose: 'test',
      network: 'none',
      user: '10001',
      entrypoint: 'python3',
      command: ['-c', 'print("::set-output name=x::y\\n\\x1b[31m##[error]boo"); raise SystemExit(3)'],
    });
    await container.start();
    await container.wait(60_000);
    const logs = await container.logs();
    expect(logs).not.toMatch(/^\s*(::|##\[)/m);
    expect(logs).not.toContain('\u001b');
    const failure = await containerFailure(container, await container.state(), 'It does not serve');
    expect(failure).toMatch(/^It does not serve: it ended with exit code 3; its last output: /);
    expect(failure).not.toContain('\n');
  });
});

it('gives null for an image that is not here', async () => {
  expect(await inspectImage(engine, 'passloop/no-such-image:x')).toBeNull();
});
