import { createHash } from 'node:crypto';
import { mkdtemp, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { setUpCuda, type Pinned, type Setup } from './setup-cuda.ts';

const [SHARED, CUDA] = ['libonnxruntime_providers_shared.so', 'libonnxruntime_providers_cuda.so'];
const FILES = { [SHARED]: Buffer.from('what providers share'), [CUDA]: Buffer.from('cuda '.repeat(5000)) };
const WHEEL = 'onnxruntime_gpu-9.9.9-cp311-cp311-manylinux_2_28_x86_64.whl';
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

/** As `zip` makes one: the first file stored, the others deflated. */
function zipOf(files: Record<string, Buffer>): Buffer {
  const [locals, centrals]: [Buffer[], Buffer[]] = [[], []];
  let at = 0;
  Object.entries(files).forEach(([name, bytes], index) => {
    const method = index === 0 ? 0 : 8;
    const data = method === 0 ? bytes : deflateRawSync(bytes);
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(name.length, 26);
    const central = Buffer.alloc(46);
    central.writeUInt32LE(0x02014b50, 0);
    central.writeUInt16LE(method, 10);
    central.writeUInt32LE(data.length, 20);
    central.writeUInt16LE(name.length, 28);
    central.writeUInt32LE(at, 42);
    locals.push(local, Buffer.from(name), data);
    centrals.push(central, Buffer.from(name));
    at += 30 + name.length + data.length;
  });
  const directory = Buffer.concat(centrals);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...locals, directory, end]);
}

const archive = zipOf({
  'onnxruntime/capi/other.py': Buffer.from('x'),
  [`onnxruntime/capi/${CUDA}`]: FILES[CUDA]!,
  [`onnxruntime/capi/${SHARED}`]: FILES[SHARED]!,
});
const pins: Pinned = {
  archive: { name: WHEEL, sha256: sha256(archive) },
  files: { [SHARED]: sha256(FILES[SHARED]!), [CUDA]: sha256(FILES[CUDA]!) },
};

let folder: string;
let server: Server;
let setup: Setup;
let served: { archive: Buffer; promised: number; names: string[] };

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pathboard-setup-'));
  await mkdir(join(folder, 'target'));
  served = { archive, promised: archive.length, names: ['onnxruntime_gpu-1.0.0.whl', WHEEL] };
  server = createServer((request, response) => {
    if (request.url === '/simple/onnxruntime-gpu/') {
      response.end(JSON.stringify({ files: served.names.map((filename) => ({ filename, url: `../../files/${filename}` })) }));
    } else if (request.url === `/files/${WHEEL}`) {
      response.writeHead(200, { 'content-length': served.promised });
      if (served.promised === served.archive.length) response.end(served.archive);
      else response.write(served.archive, () => response.destroy());
    } else response.writeHead(404).end();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const index = `http://127.0.0.1:${(server.address() as AddressInfo).port}/simple/`;
  setup = {
    version: '9.9.9',
    platform: 'linux/x64',
    target: join(folder, 'target'),
    pinned: { '9.9.9': pins },
    from: null,
    index,
    tell() {},
  };
});

afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true });
});

async function expectRefusal(change: Partial<Setup>, message: string | RegExp): Promise<void> {
  await expect(setUpCuda({ ...setup, ...change })).rejects.toThrow(message);
  expect(await readdir(setup.target)).toEqual([]);
}

async function expectInstalled(): Promise<void> {
  expect((await readdir(setup.target)).toSorted()).toEqual([CUDA, SHARED]);
  for (const [name, bytes] of Object.entries(FILES)) expect(await readFile(join(setup.target, name))).toEqual(bytes);
}

describe('setup:cuda installs', () => {
  it('what the index gives', async () => {
    await setUpCuda(setup);
    await expectInstalled();
  });

  it('what lies in an archive here', async () => {
    await writeFile(join(folder, 'a.nupkg'), archive);
    await setUpCuda({ ...setup, from: join(folder, 'a.nupkg'), index: 'http://127.0.0.1:1/' });
    await expectInstalled();
  });

  it('what lies in a folder here', async () => {
    for (const [name, bytes] of Object.entries(FILES)) await writeFile(join(folder, name), bytes);
    await setUpCuda({ ...setup, from: folder });
    await expectInstalled();
  });
});

describe('setup:cuda refuses, and changes nothing:', () => {
  it('another platform', () => expectRefusal({ platform: 'darwin/arm64' }, 'platform: expected linux/x64'));

  it('a version whose libraries are not known', () => expectRefusal({ version: '9.9.8' }, 'onnxruntime-node: expected 9.9.9'));

  it('no network, and says what else there is', () =>
    expectRefusal({ index: 'http://127.0.0.1:1/simple/' }, /expected an answer, got none .*npm run setup:cuda -- --from PATH/));

  it('an index without the package', () =>
    expectRefusal({ index: setup.index.replace('simple', 'other') }, 'expected status 200, got 404'));

  it('an index without the version', async () => {
    served.names = ['onnxruntime_gpu-1.0.0.whl'];
    await expectRefusal({}, `expected ${WHEEL}, got 1 other files`);
  });

  it('an archive with another hash', async () => {
    served.archive = Buffer.from(archive);
    served.archive[100]! ^= 1;
    await expectRefusal({}, `expected sha256 ${pins.archive.sha256}, got`);
  });

  it('an archive that breaks off', async () => {
    served.promised = archive.length + 10;
    await expectRefusal({}, 'expected the whole archive, got');
  });

  it('a library of another version', async () => {
    for (const [name, bytes] of Object.entries(FILES)) await writeFile(join(folder, name), bytes);
    await writeFile(join(folder, CUDA), 'of 9.9.8');
    await expectRefusal({ from: folder }, `${CUDA}: expected that of onnxruntime 9.9.9`);
  });

  it('a folder that lacks one', async () => {
    await writeFile(join(folder, CUDA), FILES[CUDA]!);
    await expectRefusal({ from: folder }, `got no ${SHARED}`);
  });

  it('a path that is not there, and a file that is no archive', async () => {
    await expectRefusal({ from: join(folder, 'nowhere') }, 'which is not there');
    await writeFile(join(folder, 'a.whl'), 'no archive');
    await expectRefusal({ from: join(folder, 'a.whl') }, 'expected a ZIP archive');
    await writeFile(join(folder, 'b.whl'), zipOf({ other: Buffer.from('x') }));
    await expectRefusal({ from: join(folder, 'b.whl') }, `expected ${SHARED} in the archive, got none`);
  });
});
