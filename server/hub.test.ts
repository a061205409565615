import { once } from 'node:events';
import { cpSync, existsSync } from 'node:fs';
import { cp, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FIXTURES } from './engine/testing.ts';
import { discardDownload, importFromHub, keptBytes, type HubImport } from './hub.ts';
import { isPublic } from './hub/addresses.ts';
import { DEFAULT_HOSTS, guardedGet } from './hub/guarded-get.ts';
import type { ImportProgress } from './imports/progress.ts';
import { listModels, openModelFolder } from './models.ts';
import { Hub, endless, hangUp, redirectTo, refuseWith, sum, type Reply } from './testing/hub.ts';

const WEIGHTS = 'model.safetensors';
const COMMIT = 'c0ffee'.padEnd(40, '0');
const whole: Reply = (...all) => hub.whole(...all);

let home: string;
let files: Map<string, Buffer>;
let hub: Hub;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'pathboard-hub-'));
  hub = await Hub.start();
  files = hub.files;
  for (const file of ['config.json', WEIGHTS]) files.set(file, await readFile(join(FIXTURES, 'random-gpt2', file)));
});
afterEach(async () => {
  await hub.stop();
  await rm(home, { recursive: true });
});

function request(change: Partial<HubImport> = {}): HubImport {
  const settings = { endpoint: hub.url, hosts: DEFAULT_HOSTS, patience: 2000 };
  return {
    repository: 'org/tiny',
    revision: 'main',
    name: 'tiny',
    limits: { bytes: 1e9 },
    pauseBetween: 1,
    ...change,
    settings: { ...settings, ...change.settings },
  };
}
const fetchModel = (change?: Partial<HubImport>) => importFromHub(home, request(change));
const imported = async () => (await listModels(home)).filter(({ builtIn }) => !builtIn).map(({ name }) => name);
const downloads = () => readdir(join(home, 'downloads')).catch(() => []);

describe('a model from the hub', () => {
  test('is its config, weights and tokenizer, of one commit, and nothing else', async () => {
    files.set('pytorch_model.bin', Buffer.from('a program'));
    const summary = await fetchModel();
    expect(summary).toMatchObject({ name: 'tiny', family: 'gpt2', layers: 3 });
    expect(hub.asked.map(({ url }) => url)).toEqual([
      '/org/tiny/resolve/main/config.json',
      `/org/tiny/resolve/${COMMIT}/model.safetensors`,
      `/org/tiny/resolve/${COMMIT}/tokenizer.json`,
    ]);
    expect((await readdir(join(home, 'models', 'tiny'))).sort()).toEqual(['config.json', WEIGHTS, 'pathboard.json']);
    expect(await readFile(join(home, 'models', 'tiny', 'pathboard.json'), 'utf8')).toContain(`${hub.url}/org/tiny@${COMMIT}`);
    expect((await openModelFolder(home, 'tiny')).hash).toBe(summary.hash);
    expect(await downloads()).toEqual([]);
  });

  test('asked for again is there already; another one under its name is refused before it is fetched', async () => {
    const first = await fetchModel();
    hub.asked.length = 0;
    expect(await fetchModel()).toEqual(first);
    expect(hub.asked).toHaveLength(1);
    await expect(fetchModel({ repository: 'org/other' })).rejects.toThrow(
      'name: expected a name that no other model has (--name), got "tiny"',
    );
    await expect(fetchModel({ name: 'attn-2l' })).rejects.toThrow('got "attn-2l"');
    expect(hub.asked.filter(({ url }) => url.includes('safetensors'))).toEqual([]);
  });

  test('whose name was taken meanwhile is kept until it is free', async () => {
    const other = join(home, 'models', 'tiny');
    hub.replies.push(whole, (...all) => {
      cpSync(join(FIXTURES, 'random-attn-only'), other, { recursive: true });
      whole(...all);
    });
    await expect(fetchModel()).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('a name that no other model has'),
    });
    expect(await keptBytes(home, request())).toBeGreaterThan(files.get(WEIGHTS)!.length);
    await rm(other, { recursive: true });
    hub.asked.length = 0;
    await fetchModel();
    expect(hub.asked.filter(({ url }) => url.endsWith(WEIGHTS))).toEqual([]);
    expect(await imported()).toEqual(['tiny']);
  });

  test('in shards has those that its index names', async () => {
    files.set('a-1.safetensors', files.get(WEIGHTS)!);
    files.delete(WEIGHTS);
    files.set('model.safetensors.index.json', Buffer.from('{"weight_map":{"a":"a-1.safetensors"}}'));
    expect(await fetchModel({ revision: 'refs/pr/1' })).toMatchObject({ layers: 3 });
    expect(hub.asked[0]!.url).toBe('/org/tiny/resolve/refs%2Fpr%2F1/config.json');
    expect((await readdir(join(home, 'models', 'tiny'))).sort()).toEqual([
      'a-1.safetensors',
      'config.json',
      'model.safetensors.index.json',
      'pathboard.json',
    ]);
  });

  test('comes through redirects within the hub, and the token goes no further than the hub', async () => {
    hub.replies.push(redirectTo('/elsewhere/config.json', 307));
    await fetchModel({ settings: { endpoint: hub.url, hosts: [], token: 'hf_secret' } });
    expect(hub.asked[1]).toMatchObject({ url: '/elsewhere/config.json', authorization: 'Bearer hf_secret' });
    hub.replies.push(redirectTo('https://huggingface.co/config.json'));
    const seen: unknown[] = [];
    const resolve = async (host: string) => {
      seen.push(host);
      return [{ address: '127.0.0.1', family: 4 }];
    };
    await expect(
      guardedGet(`${hub.url}/x`, {}, { endpoint: hub.url, hosts: ['huggingface.co'], token: 'hf_secret', resolve }),
    ).rejects.toThrow('model host huggingface.co: expected a public address (or the host by its name in MODEL_HOSTS), got 127.0.0.1');
    expect(seen).toEqual(['huggingface.co']);
  });

  test.each([['../up'], ['a/../b'], ['a'], ['a/b/c'], ['/a/b'], ['a/.b'], ['http://a/b'], ['a%2f/b']])(
    '%j is no repository',
    async (repository) => {
      await expect(fetchModel({ repository })).rejects.toThrow('import: expected OWNER/NAME');
      expect(hub.asked).toEqual([]);
    },
  );
  test.each([['../x'], ['a/../../b'], [''], ['-x'], ['a?b'], ['a#b']])('%j is no revision', async (revision) => {
    await expect(fetchModel({ revision })).rejects.toThrow('revision: expected a branch, a tag or a commit');
    expect(hub.asked).toEqual([]);
  });
});

describe('a connection that is cut', () => {
  test('is taken up again where it broke off', async () => {
    hub.replies.push(whole, hub.cutAfter(1000), hub.cutAfter(20_000));
    await fetchModel();
    const ranges = hub.asked.filter(({ url }) => url.endsWith(WEIGHTS)).map(({ range }) => range);
    expect(ranges[0]).toBeUndefined();
    expect(ranges[1]).toBe('bytes=1000-');
    expect(ranges).toHaveLength(3);
    expect(await readFile(join(home, 'models', 'tiny', WEIGHTS))).toEqual(files.get(WEIGHTS));
  });

  test('five times is told, and the next import goes on', async () => {
    hub.replies.push(whole, ...Array.from({ length: 5 }, () => hub.cutAfter(1000)));
    await expect(fetchModel()).rejects.toThrow(/expected a whole file within 5 attempts, got .*import again to go on/);
    expect(await imported()).toEqual([]);
    hub.asked.length = 0;
    await fetchModel();
    expect(hub.asked.map(({ range }) => range)).toEqual([undefined, 'bytes=1000-', undefined]);
  });

  test('while the file changed, starts anew', async () => {
    hub.replies.push(whole, hub.cutAfter(1000));
    const pending = fetchModel();
    const other = Buffer.from(files.get(WEIGHTS)!);
    other[other.length - 1]! ^= 1;
    hub.replies.push((...all) => {
      files.set(WEIGHTS, other);
      whole(...all);
    });
    await pending;
    expect(await readFile(join(home, 'models', 'tiny', WEIGHTS))).toEqual(other);
  });

  test('after the branch moved, mixes no two commits', async () => {
    hub.replies.push(whole, whole, ...Array.from({ length: 5 }, (): Reply => (_, response) => void response.writeHead(503).end()));
    await expect(fetchModel()).rejects.toThrow('status 503');
    hub.commit = 'beef'.padEnd(40, '0');
    const other = Buffer.from(files.get(WEIGHTS)!);
    other[other.length - 1]! ^= 1;
    files.set(WEIGHTS, other);
    await fetchModel();
    expect(await readFile(join(home, 'models', 'tiny', WEIGHTS))).toEqual(other);
  });

  test('an interrupt stops at once, and what came is kept', async () => {
    const stop = new AbortController();
    hub.replies.push(whole, (...all) => {
      const [, response, file] = all;
      response.writeHead(200, { etag: '"x"', 'content-length': files.get(file)!.length });
      response.write(files.get(file)!.subarray(0, 1000), () => setTimeout(() => stop.abort(), 50));
    });
    await expect(fetchModel({ signal: stop.signal })).rejects.toThrow(/abort/i);
    const [folder] = await downloads();
    expect((await readFile(join(home, 'downloads', folder!, 'parts', `${WEIGHTS}.part`))).length).toBe(1000);
  });

  test('is forgotten with all that came, when that is wanted', async () => {
    hub.replies.push(whole, ...Array.from({ length: 5 }, () => hub.cutAfter(1000)));
    await expect(fetchModel()).rejects.toThrow('import again to go on');
    expect(await keptBytes(home, request())).toBe(1000 + files.get('config.json')!.length);
    await discardDownload(home, request());
    expect([await keptBytes(home, request()), await downloads()]).toEqual([0, []]);
  });

  test('that brings much each time is taken up as often as it takes', async () => {
    const piece = 2 ** 21;
    const large = Buffer.alloc(7.5 * piece, 7);
    files.set(WEIGHTS, large);
    const aPiece: Reply = (...all) => {
      const [{ headers }, response, file] = all;
      if (file !== WEIGHTS) return whole(...all);
      const from = Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0);
      const range = from > 0 && { 'content-range': `bytes ${from}-${large.length - 1}/${large.length}` };
      response.writeHead(from > 0 ? 206 : 200, { etag: `"${sum(large)}"`, 'content-length': large.length - from, ...range });
      hangUp(response, large.subarray(from, from + piece));
    };
    hub.replies.push(whole, ...Array.from({ length: 20 }, () => aPiece));
    // Junk, but whole junk: it is refused as weights.
    await expect(fetchModel()).rejects.toThrow(`${WEIGHTS}: header length`);
    const starts = hub.asked.flatMap(({ range }) => (range === undefined ? [] : Number(/\d+/.exec(range))));
    expect(starts.length).toBeGreaterThan(5);
    expect(starts).toEqual(starts.toSorted((x, y) => x - y));
  });

  test.skipIf(!existsSync('/dev/full'))('a disk that is full is told at once, and is no reason to ask again', async () => {
    hub.replies.push(whole, ...Array.from({ length: 5 }, () => hub.cutAfter(1000)));
    await expect(fetchModel()).rejects.toThrow('import again to go on');
    const part = join(home, 'downloads', (await downloads())[0]!, 'parts', `${WEIGHTS}.part`);
    await rm(part);
    await symlink('/dev/full', part);
    hub.asked.length = 0;
    await expect(fetchModel()).rejects.toThrow('expected a disk with room for the model, got a full one (ENOSPC)');
    expect(hub.asked.filter(({ url }) => url.endsWith(WEIGHTS))).toHaveLength(1);
    expect(await imported()).toEqual([]);
  });

  test('by a server that is busy is tried again when it says', async () => {
    hub.replies.push(refuseWith(429, { 'retry-after': '0' }), whole, refuseWith(503, { 'retry-after': '1' }));
    const began = Date.now();
    await fetchModel();
    expect(Date.now() - began).toBeGreaterThan(900);
    expect(hub.asked).toHaveLength(5);
  });

  test('by a server that is busy for long is told at once', async () => {
    hub.replies.push(refuseWith(429, { 'retry-after': '3600' }));
    await expect(fetchModel()).rejects.toThrow('expected a server that has time, got status 429, again in 3600 s (what came is kept');
    hub.replies.push(refuseWith(503, { 'retry-after': new Date(Date.now() + 600_000).toUTCString() }));
    await expect(fetchModel()).rejects.toThrow(/got status 503, again in (599|600) s/);
    expect(hub.asked).toHaveLength(2);
  });

  test('a server that says nothing any more is given up', async () => {
    hub.replies.push(() => {});
    await expect(guardedGet(`${hub.url}/x`, {}, { endpoint: hub.url, hosts: [], patience: 100 })).rejects.toThrow(
      'nothing came for 100 ms',
    );
  });
});

describe('an attacker in the place of the hub', () => {
  const places: [string, string][] = [
    ['http://127.0.0.1:1/x', 'expected https, got http'],
    ['http://localhost:1/x', 'expected https, got http'],
    ['https://127.0.0.1/x', 'got 127.0.0.1'],
    ['https://2130706433/x', 'got 127.0.0.1'],
    ['https://0x7f.1/x', 'got 127.0.0.1'],
    ['https://[::1]/x', 'got [::1]'],
    ['https://[::ffff:169.254.169.254]/x', 'got [::ffff:'],
    ['http://169.254.169.254/latest/meta-data/', 'expected https, got http'],
    ['https://169.254.169.254/latest/meta-data/', 'got 169.254.169.254'],
    ['https://example.com/x', 'got example.com'],
    ['https://huggingface.co.example.com/x', 'got huggingface.co.example.com'],
    ['https://evilhf.co/x', 'got evilhf.co'],
    ['https://huggingface.co:22/x', 'got huggingface.co:22'],
    ['https://me:word@huggingface.co/x', 'no name and password'],
    ['//example.com/x', 'expected https, got http'],
    ['file:///etc/passwd', 'expected https, got file'],
    ['gopher://127.0.0.1/x', 'expected https, got gopher'],
    ['data:,x', 'expected https, got data'],
    ['https://', 'an address to go to'],
  ];
  test.each(places)('that redirects to %s gets nothing', async (location, message) => {
    hub.replies.push(redirectTo(location));
    const error = await fetchModel().catch((reason: unknown) => reason as Error);
    expect((error as Error).message).toContain(message);
    expect((error as Error).message).not.toContain('\n');
    expect(hub.asked).toHaveLength(1);
    expect(await imported()).toEqual([]);
  });

  test('that redirects to another server of this machine does not reach it', async () => {
    const other = await Hub.start();
    hub.replies.push(redirectTo(`${other.url}/config.json`));
    await expect(fetchModel()).rejects.toThrow('expected https, got http');
    hub.replies.push(redirectTo(`https://127.0.0.1:${other.port}/config.json`));
    await expect(fetchModel()).rejects.toThrow(`got 127.0.0.1:${other.port}`);
    expect(other.asked).toEqual([]);
    await other.stop();
  });

  test('that redirects for ever is left after five', async () => {
    hub.replies.push(...Array.from({ length: 20 }, (_, i) => redirectTo(`/${i}/config.json`)));
    await expect(fetchModel()).rejects.toThrow('expected at most 5 redirects, got more');
    expect(hub.asked).toHaveLength(6);
  });

  test('whose names point at this machine is refused; one that its owner has named is reached at the address that was judged', async () => {
    const server = createTcpServer();
    const reached: string[] = [];
    server.on('connection', (socket) => {
      socket.on('data', (data) => {
        reached.push(data.toString('latin1'));
        socket.destroy();
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    let asked = 0;
    // Another answer each time: only what was judged may be called.
    const resolve = async () => [{ address: asked++ === 0 ? '127.0.0.1' : '203.0.113.1', family: 4 }];
    const settings = { endpoint: `https://models.example:${port}`, hosts: [], patience: 2000, resolve };
    await expect(guardedGet(`https://models.example:${port}/x`, {}, settings)).rejects.toThrow(/socket|TLS|ECONNRESET/);
    expect(asked).toBe(1);
    expect(reached[0]).toContain('models.example');
    for (const address of ['127.0.0.1', '10.1.2.3', '169.254.169.254', '::1', 'fd00::1', '::ffff:10.0.0.1']) {
      const hosts = ['*.models.example'];
      const mixed = async () => [
        { address: '8.8.8.8', family: 4 },
        { address, family: address.includes(':') ? 6 : 4 },
      ];
      await expect(guardedGet('https://a.models.example/x', {}, { endpoint: hub.url, hosts, resolve: mixed })).rejects.toThrow(
        `model host a.models.example: expected a public address (or the host by its name in MODEL_HOSTS), got ${address}`,
      );
    }
    expect(reached).toHaveLength(1);
    server.close();
  });

  test('that never ends is cut off, whatever length it says', async () => {
    hub.replies.push(endless);
    await expect(fetchModel()).rejects.toThrow('config.json: expected at most 10000000 bytes, got more');
    hub.replies.push(whole, endless);
    await expect(fetchModel({ limits: { bytes: 1_000_000 } })).rejects.toThrow(`${WEIGHTS}: expected at most 1000000 bytes, got more`);
    hub.replies.push(whole, (_, response) => void response.writeHead(200, { 'content-length': 51e9 }).write('x'));
    await expect(fetchModel({ limits: { bytes: 50e9 } })).rejects.toThrow(
      `${WEIGHTS}: expected at most 50000000000 bytes, got 51000000000`,
    );
    expect(await imported()).toEqual([]);
  });

  test('that sends another file than the hub named is found out', async () => {
    const right = files.get(WEIGHTS)!;
    hub.replies.push(whole, (_, response) => {
      const wrong = Buffer.from(right);
      wrong[wrong.length - 1]! ^= 1;
      response.writeHead(200, { 'x-linked-etag': `"${sum(right)}"`, 'content-length': wrong.length }).end(wrong);
    });
    await expect(fetchModel()).rejects.toThrow(`${WEIGHTS}: expected sha256 ${sum(right)}, got`);
    expect(await imported()).toEqual([]);
    await fetchModel();
    expect(await imported()).toEqual(['tiny']);
  });

  test('that sends what is no model leaves nothing', async () => {
    files.set('config.json', Buffer.from('{"model_type":"bert"}'));
    await expect(fetchModel()).rejects.toThrow('got model_type "bert"');
    expect(hub.asked).toHaveLength(1);
    files.set('config.json', Buffer.from('<html>'));
    await expect(fetchModel()).rejects.toThrow('config.json: expected JSON');
    files.delete('config.json');
    await expect(fetchModel()).rejects.toThrow('expected config.json, got no such file');
    await cp(join(FIXTURES, 'random-gpt2', 'config.json'), join(home, 'config.json'));
    files.set('config.json', await readFile(join(home, 'config.json')));
    files.set(WEIGHTS, Buffer.from('junk'));
    await expect(fetchModel()).rejects.toThrow('at least 8 bytes');
    expect(await imported()).toEqual([]);
  });

  test('that names files elsewhere in its index is not asked for them', async () => {
    files.delete(WEIGHTS);
    for (const file of ['../../../secret', '/etc/passwd', 'https://example.com/x.safetensors', 'model.bin']) {
      files.set('model.safetensors.index.json', Buffer.from(JSON.stringify({ weight_map: { a: file } })));
      await expect(fetchModel()).rejects.toThrow('plain names of safetensors files');
    }
    expect(hub.asked.every(({ url }) => /(config|index)\.json$|model\.safetensors$/.test(url))).toBe(true);
  });

  test('that keeps a model from us is told with the reason', async () => {
    const told = async (reply: Reply, change: Partial<HubImport> = {}) => {
      hub.replies.push(reply);
      return ((await fetchModel(change).catch((error: unknown) => error)) as Error).message;
    };
    const withToken = { settings: { endpoint: hub.url, hosts: [], token: 'hf_secret' } };
    for (const status of [401, 403]) {
      const gated = refuseWith(status, { 'x-error-code': 'GatedRepo' });
      expect(await told(gated)).toContain('org/tiny@main: expected HF_TOKEN of somebody who has been given access');
      expect(await told(gated)).toContain('got a gated model, no HF_TOKEN set');
      expect(await told(gated, withToken)).toContain('got a gated model, HF_TOKEN shown');
      expect(await told(refuseWith(status))).toContain(`it may be gated or private, or not exist), got status ${status}, no HF_TOKEN set`);
    }
    // Without a token the hub does not say whether a model is private or is not there.
    expect(await told(refuseWith(401, { 'x-error-code': 'RepoNotFound' }))).toBe(
      'org/tiny@main: expected a model of the hub, or for a private one HF_TOKEN, got none by this name, no HF_TOKEN set',
    );
    expect(await told(refuseWith(404, { 'x-error-code': 'RevisionNotFound' }))).toBe(
      'org/tiny@main: expected one of its branches, tags or commits, got none by this name',
    );
    expect(await told(refuseWith(404))).toContain('expected config.json, got no such file');
    expect(JSON.stringify(hub.asked.map(({ authorization }) => authorization))).toContain('Bearer hf_secret');
    expect([await imported(), (await keptBytes(home, request())) > 0]).toEqual([[], false]);
  });

  test('that compresses its answer, or refuses, is told in one line', async () => {
    hub.replies.push((_, response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end('x'));
    await expect(fetchModel()).rejects.toThrow('content-encoding gzip');
    hub.replies.push((_, response) => void response.writeHead(401).end());
    await expect(fetchModel()).rejects.toThrow('HF_TOKEN');
  });
});

test('how far it is, is told in bytes of all files', async () => {
  const told: ImportProgress[] = [];
  await fetchModel({ onProgress: (progress) => told.push(progress) });
  const size = files.get(WEIGHTS)!.length;
  const config = files.get('config.json')!.length;
  const fetched = told.filter(({ stage, file }) => stage === 'fetch' && file === WEIGHTS);
  expect(fetched.at(-1)).toMatchObject({ done: config + size });
  // Hashed against what the hub named, and once more as a model.
  const checked = told.filter(({ stage }) => stage === 'check');
  expect(checked.map(({ file }) => file)).toEqual(expect.arrayContaining([WEIGHTS, 'config.json']));
  expect(told.every(({ done, total }) => total === null || done <= total)).toBe(true);
});

test('an import in another process is not disturbed', async () => {
  hub.replies.push(whole, (_, response) => void response.writeHead(200, { 'content-length': 5 }).write('x'));
  const stop = new AbortController();
  const first = fetchModel({ signal: stop.signal }).catch((error: unknown) => error);
  while (hub.asked.length < 2) await new Promise((done) => setTimeout(done, 5));
  await expect(fetchModel()).rejects.toThrow(`locked by process ${process.pid}`);
  stop.abort();
  await first;
  await writeFile(join(home, 'ok'), '');
  await fetchModel();
});

describe('addresses', () => {
  test.each([
    '0.0.0.0',
    '10.0.0.1',
    '100.64.0.1',
    '127.0.0.1',
    '127.255.255.254',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '198.18.0.1',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:8.8.8.8',
    '64:ff9b::7f00:1',
    'fc00::1',
    'fd12::1',
    'fe80::1',
    'ff02::1',
    '2002:7f00:1::',
    '2001:0:1::',
    '2001:db8::1',
    'nonsense',
    '',
  ])('%s is not public', (address) => expect(isPublic(address)).toBe(false));
  test.each(['8.8.8.8', '1.1.1.1', '172.32.0.1', '100.128.0.1', '18.164.174.118', '2600:9000::1', '2a00:1450:4001::1'])(
    '%s is',
    (address) => expect(isPublic(address)).toBe(true),
  );
});
