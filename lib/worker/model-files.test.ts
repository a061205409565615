import { createHash } from 'node:crypto';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { forgetModel, keep, keptModels, readKept } from './kept-models.ts';
import { loadModelFiles } from './model-files.ts';

const FILES = { 'config.json': '{"a":1}', 'model.safetensors': 'weights, as it were' };
const hash = createHash('sha256');
for (const [name, text] of Object.entries(FILES)) hash.update(`${name}\0${text.length}\0${text}`);
const HASH = hash.digest('hex');
const PLACE = { name: 'm', base: '/m', hash: HASH };

/** As browsers' own, as far as it is used. */
class FakeCache {
  readonly kept = new Map<string, Response>();
  refuses = false;
  /** files that fit, records aside */
  room = Infinity;
  keys = async () => [...this.kept.keys()].map((url) => ({ url: `http://here${url.replace('http://here', '')}` }));
  match = async (key: string) => this.kept.get(key.replace('http://here', ''))?.clone();
  put = async (key: string, response: Response) => {
    const files = [...this.kept.keys()].filter((one) => !one.endsWith('record.json') && one !== key).length;
    if ((this.refuses || files >= this.room) && !key.endsWith('record.json')) throw new DOMException('no room', 'QuotaExceededError');
    this.kept.set(key, response);
  };
  delete = async (key: string | { url: string }) => this.kept.delete((typeof key === 'string' ? key : key.url).replace('http://here', ''));
}

const sizeOf = ({ kept }: FakeCache) => 40 * [...kept.keys()].filter((key) => !key.endsWith('record.json')).length;

let cache: FakeCache;
let asked: string[];
let served: Record<string, string>;
const loading = () => ({ signal: new AbortController().signal, onProgress: vi.fn<(done: number, total: number) => void>() });

beforeEach(() => {
  cache = new FakeCache();
  asked = [];
  served = { ...FILES };
  vi.stubGlobal('caches', { open: async () => cache });
  vi.stubGlobal('navigator', {});
  vi.stubGlobal('fetch', async (url: string) => {
    asked.push(url);
    const name = decodeURIComponent(url.split('/').at(-1) ?? '');
    if (name === 'files.json') {
      return Response.json({ hash: HASH, files: Object.entries(served).map(([file, text]) => ({ name: file, bytes: text.length })) });
    }
    return served[name] === undefined ? new Response(null, { status: 404 }) : new Response(served[name]);
  });
});
afterEach(() => void vi.unstubAllGlobals());

it('loads a model once, tells how far it is, and then has it here', async () => {
  const first = loading();
  const files = await loadModelFiles(PLACE, first);
  expect(await files.get('config.json')!.text()).toBe(FILES['config.json']);
  expect(first.onProgress).toHaveBeenCalledWith(26, 26, 'loaded');
  expect(first.onProgress).toHaveBeenLastCalledWith(26, 26, 'checked');
  const again = await loadModelFiles(PLACE, loading());
  expect([...again.keys()].toSorted()).toEqual(Object.keys(FILES));
  expect(asked).toHaveLength(3);
});

it('keeps and gives nothing where one byte differs', async () => {
  served['model.safetensors'] = 'weights, as it werE';
  await expect(loadModelFiles(PLACE, loading())).rejects.toThrow(`expected files with the hash ${HASH}`);
  expect(cache.kept.size).toBe(0);
});

it('loads anew what is kept in part', async () => {
  await loadModelFiles(PLACE, loading());
  cache.kept.delete(`/kept-models/${HASH}/config.json`);
  await loadModelFiles(PLACE, loading());
  expect(asked).toHaveLength(6);
});

it('loads anew what has changed where it is kept', async () => {
  await loadModelFiles(PLACE, loading());
  const key = `/kept-models/${HASH}/model.safetensors`;
  cache.kept.set(key, new Response('weights, as it werE'));
  const files = await loadModelFiles(PLACE, loading());
  expect(await files.get('model.safetensors')!.text()).toBe(FILES['model.safetensors']);
  expect(await cache.kept.get(key)!.clone().text()).toBe(FILES['model.safetensors']);
  expect(asked).toHaveLength(6);
});

it('lists what is kept, and takes it away', async () => {
  expect(await keptModels()).toEqual([]);
  await loadModelFiles(PLACE, loading());
  expect(await keptModels()).toMatchObject([{ hash: HASH, name: 'm', bytes: 26 }]);
  await forgetModel(HASH);
  expect(await keptModels()).toEqual([]);
  expect(cache.kept.size).toBe(0);
});

it('makes room by the one that was used least lately, as the browser’s quota wants it', async () => {
  vi.useFakeTimers();
  vi.stubGlobal('navigator', { storage: { estimate: async () => ({ quota: 100, usage: sizeOf(cache) }) } });
  const put = async (one: string, at: number) => {
    vi.setSystemTime(at);
    return keep(one, one, new Map([['w', new Blob(['x'.repeat(40)])]]));
  };
  expect([await put('a', 1), await put('b', 2)]).toEqual([true, true]);
  vi.setSystemTime(3);
  await readKept('a');
  expect(await put('c', 4)).toBe(true);
  expect((await keptModels())!.map(({ name }) => name)).toEqual(['c', 'a']);
  vi.useRealTimers();
});

it('makes room when the browser says only on writing that there is none', async () => {
  await keep('old', 'old', new Map([['w', new Blob(['x'])]]));
  cache.room = 1;
  expect(await keep('new', 'new', new Map([['w', new Blob(['y'])]]))).toBe(true);
  expect((await keptModels())!.map(({ name }) => name)).toEqual(['new']);
});

it('refuses before it loads what does not fit', async () => {
  const check = vi.fn<(bytes: number) => void>(() => {
    throw new Error('too large');
  });
  await expect(loadModelFiles(PLACE, { ...loading(), check })).rejects.toThrow('too large');
  expect(check).toHaveBeenCalledWith(26);
  expect(asked).toEqual(['/m/files.json']);
});

it('works where the browser has no room, and leaves nothing half-kept', async () => {
  cache.refuses = true;
  expect((await loadModelFiles(PLACE, loading())).size).toBe(2);
  expect(cache.kept.size).toBe(0);
});

it('says what the server would not give', async () => {
  delete served['config.json'];
  vi.stubGlobal('fetch', async (url: string) =>
    url.endsWith('files.json') ? Response.json({ files: [{ name: 'x', bytes: 1 }] }) : new Response(null, { status: 404 }),
  );
  await expect(loadModelFiles(PLACE, loading())).rejects.toThrow('/m/x: expected a file of the model, got status 404');
});
