import { createHash } from 'node:crypto';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { loadModelFiles } from './model-files.ts';

const FILES = { 'config.json': '{"a":1}', 'model.safetensors': 'weights, as it were' };
const hash = createHash('sha256');
for (const [name, text] of Object.entries(FILES)) hash.update(`${name}\0${text.length}\0${text}`);
const HASH = hash.digest('hex');

/** As browsers' own, as far as it is used. */
class FakeCache {
  readonly kept = new Map<string, Response>();
  refuses = false;
  keys = async () => [...this.kept.keys()].map((url) => ({ url: `http://here${url.replace('http://here', '')}` }));
  match = async (key: string) => this.kept.get(key.replace('http://here', ''))?.clone();
  put = async (key: string, response: Response) => {
    if (this.refuses && !key.endsWith('record.json')) throw new DOMException('no room', 'QuotaExceededError');
    this.kept.set(key, response);
  };
  delete = async (key: string | { url: string }) => this.kept.delete((typeof key === 'string' ? key : key.url).replace('http://here', ''));
}

let cache: FakeCache;
let asked: string[];
let served: Record<string, string>;
const loading = () => ({ signal: new AbortController().signal, onProgress: vi.fn<(done: number, total: number) => void>() });

beforeEach(() => {
  cache = new FakeCache();
  asked = [];
  served = { ...FILES };
  vi.stubGlobal('caches', { open: async () => cache });
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
  const files = await loadModelFiles('/m', HASH, first);
  expect(await files.get('config.json')!.text()).toBe(FILES['config.json']);
  expect(first.onProgress).toHaveBeenLastCalledWith(26, 26);
  const again = await loadModelFiles('/m', HASH, loading());
  expect([...again.keys()].toSorted()).toEqual(Object.keys(FILES));
  expect(asked).toHaveLength(3);
});

it('keeps and gives nothing where one byte differs', async () => {
  served['model.safetensors'] = 'weights, as it werE';
  await expect(loadModelFiles('/m', HASH, loading())).rejects.toThrow(`expected files with the hash ${HASH}`);
  expect(cache.kept.size).toBe(0);
});

it('loads anew what is kept in part', async () => {
  await loadModelFiles('/m', HASH, loading());
  cache.kept.delete(`/kept-models/${HASH}/config.json`);
  await loadModelFiles('/m', HASH, loading());
  expect(asked).toHaveLength(6);
});

it('works where the browser has no room, and leaves nothing half-kept', async () => {
  cache.refuses = true;
  expect((await loadModelFiles('/m', HASH, loading())).size).toBe(2);
  expect(cache.kept.size).toBe(0);
});

it('says what the server would not give', async () => {
  delete served['config.json'];
  vi.stubGlobal('fetch', async (url: string) =>
    url.endsWith('files.json') ? Response.json({ files: [{ name: 'x', bytes: 1 }] }) : new Response(null, { status: 404 }),
  );
  await expect(loadModelFiles('/m', HASH, loading())).rejects.toThrow('/m/x: expected a file of the model, got status 404');
});
