import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { checkSpace } from '../disk.ts';
import { DEFAULT_HOSTS } from '../hub/guarded-get.ts';
import { takeLock } from '../lock.ts';
import { Refusal } from '../refusal.ts';
import { Imports } from './imports.ts';
import { runTask, type Outcome } from './task.ts';

/** Threads that do not stop when they are told, and that die: whether a real one does cannot be chosen. */

vi.mock('./task.ts');
vi.mock('../disk.ts', { spy: true });

interface Thread {
  end(outcome: Outcome): void;
  die(): void;
}

const AUTHOR = { id: 'someone', name: 'Someone' };
const settings = { endpoint: 'https://hub.example', hosts: DEFAULT_HOSTS };

let home: string;
let imports: Imports;
let threads: Thread[];

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'pathboard-threads-'));
  threads = [];
  vi.mocked(runTask).mockImplementation(() => {
    const outcome = new Promise<Outcome>((resolve, reject) => {
      threads.push({ end: resolve, die: () => reject(new Error('the thread ran out of memory')) });
    });
    return { outcome, stop() {} };
  });
  imports = await Imports.open({ home, settings, limits: { bytes: 1e9 }, now: Date.now });
});
afterEach(() => rm(home, { recursive: true }));

const begin = (name: string) => imports.start({ kind: 'hub', from: `org/${name}`, name }, AUTHOR);
const stateOf = async (id: string) => (await imports.list()).find((one) => one.id === id)?.state;

test('one that takes its time to stop keeps its folder and its place until it has', async () => {
  const { id } = await begin('tiny');
  expect(await imports.stop(id)).toMatchObject({ state: 'stopped' });
  expect(await imports.resume(id)).toMatchObject({ state: 'waiting' });
  expect(threads).toHaveLength(1);
  threads[0]!.end({ type: 'stopped' });
  await vi.waitFor(() => expect(threads).toHaveLength(2));
  expect(await stateOf(id)).toBe('running');
  threads[1]!.end({ type: 'done' });
  await vi.waitFor(async () => expect(await stateOf(id)).toBe('done'));
});

test('one that is stopped again while it waits for its own thread does not start', async () => {
  const { id } = await begin('tiny');
  await imports.stop(id);
  await imports.resume(id);
  const stopped = imports.stop(id);
  threads[0]!.end({ type: 'stopped' });
  expect(await stopped).toMatchObject({ state: 'stopped' });
  expect(threads).toHaveLength(1);
});

test('one that dies gives its download back, unless another one is at it', async () => {
  const { id } = await begin('tiny');
  const other = await imports.start({ kind: 'hub', from: 'org/tiny', name: 'other' }, AUTHOR);
  const asked = JSON.stringify([settings.endpoint, 'org/tiny', 'main']);
  const folder = join(home, 'downloads', createHash('sha256').update(asked).digest('hex').slice(0, 32));
  await mkdir(folder, { recursive: true });
  takeLock(folder);
  threads[1]!.die();
  await vi.waitFor(async () => expect(await stateOf(other.id)).toBe('failed'));
  await expect(imports.discard(other.id)).rejects.toThrow('one that nobody else goes on with');
  threads[0]!.die();
  await vi.waitFor(async () => expect(await stateOf(id)).toBe('failed'));
  await imports.discard(id);
  expect(await readdir(join(home, 'downloads'))).toEqual([]);
});

test('what an earlier server of the same number left goes when the next one starts', async () => {
  const models = join(home, 'models');
  for (const what of ['import', 'deleted']) await mkdir(join(models, `.${what}-${process.pid}-x`), { recursive: true });
  await mkdir(join(models, `.import-${process.ppid}-x`));
  await Imports.open({ home, settings, limits: { bytes: 1e9 }, now: Date.now });
  expect(await readdir(models)).toEqual([`.import-${process.ppid}-x`]);
});

test('an upload needs room for what the others have yet to send, and for the database', async () => {
  const upload = (name: string, bytes: number) => {
    const files = ['config.json', 'model.safetensors'].map((file) => ({ name: file, bytes: bytes / 2, modified: 1 }));
    return imports.start({ kind: 'upload', name, files }, AUTHOR);
  };
  const asked = () => vi.mocked(checkSpace).mock.lastCall;
  const first = await upload('first', 2000);
  expect(asked()).toEqual([home, 1e9 + 2000]);
  await imports.receive(first.id, 'config.json', 0, new Blob(['x'.repeat(400)]).stream());
  const second = await upload('second', 500);
  expect(asked()).toEqual([home, 1e9 + 1600 + 500]);
  const refused = new Refusal('too-large', home, 'a disk with room', 'none');
  vi.mocked(checkSpace).mockRejectedValueOnce(refused);
  await expect(upload('third', 500)).rejects.toBe(refused);
  expect((await imports.list()).map(({ name }) => name)).toEqual(['second', 'first']);
  await imports.stop(second.id);
  vi.mocked(checkSpace).mockRejectedValueOnce(refused);
  await expect(imports.resume(second.id)).rejects.toBe(refused);
  expect(await stateOf(second.id)).toBe('stopped');
  await imports.discard(first.id);
  expect(await imports.resume(second.id)).toMatchObject({ state: 'running' });
  expect(asked()).toEqual([home, 1e9 + 500]);
});

test('one that dies lets the next one start', async () => {
  const ids = [(await begin('a')).id, (await begin('b')).id, (await begin('c')).id];
  expect(threads).toHaveLength(2);
  threads[0]!.die();
  await vi.waitFor(() => expect(threads).toHaveLength(3));
  expect(await Promise.all(ids.map(stateOf))).toEqual(['failed', 'running', 'running']);
});
