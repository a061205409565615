import { eq } from 'drizzle-orm';
import { existsSync } from 'node:fs';
import { mkdir, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { boards } from '../../db/schema.ts';
import type { ModelDetail, ModelImport, NewImport } from '../../lib/model-wire.ts';
import { setApp } from '../app.ts';
import { FIXTURES } from '../engine/testing.ts';
import { importModel } from '../model-import.ts';
import { listModels } from '../models.ts';
import { Hub, redirectTo, refuseWith } from '../testing/hub.ts';
import { newHome } from '../testing/home.ts';
import { ask } from '../testing/routes.ts';
import { openWorld, type Actor, type World } from '../testing/world.ts';

/** Imports as a browser sees them, from a hub that misbehaves and by uploads that break off. */

const WEIGHTS = 'model.safetensors';
const TINY: NewImport = { kind: 'hub', from: 'org/tiny', name: null };

let home: string;
let hub: Hub;
let world: World;
let owner: Actor;

beforeAll(async () => {
  home = await newHome();
  hub = await Hub.start();
  await open();
});
beforeEach(async () => {
  hub.asked.length = 0;
  hub.replies.length = 0;
  hub.files.clear();
  for (const file of ['config.json', WEIGHTS]) hub.files.set(file, await readFile(join(FIXTURES, 'random-gpt2', file)));
});
/** A database takes a while to open: the tests share one, and each leaves it as it was. */
afterEach(async () => {
  for (const { id } of await listed()) await ask(owner, 'DELETE', `/api/imports/${id}`);
  await rm(join(home, 'models'), { recursive: true, force: true });
  expect([await listed(), await inFolder('imports'), await inFolder('downloads')]).toEqual([[], [], []]);
});
afterAll(async () => {
  await world.stop();
  await hub.stop();
  await rm(home, { recursive: true, force: true });
});

async function open(): Promise<void> {
  world = await openWorld({ home, modelEndpoint: hub.url, modelHosts: [] });
  setApp(world.app);
  owner = await world.owner();
}

const installed = async () => (await listModels(home)).filter(({ builtIn }) => !builtIn).map(({ name }) => name);
const listed = async (): Promise<ModelImport[]> => (await ask(owner, 'GET', '/api/imports')).json();
const inFolder = (folder: string) => readdir(join(home, folder)).catch(() => []);

async function begin(request: unknown): Promise<ModelImport> {
  const response = await ask(owner, 'POST', '/api/imports', { body: request });
  const body: unknown = await response.json();
  expect([response.status, body]).toEqual([200, body]);
  return body as ModelImport;
}

async function change(id: string, state: 'running' | 'stopped'): Promise<ModelImport> {
  return (await ask(owner, 'PATCH', `/api/imports/${id}`, { body: { state } })).json();
}

async function until(id: string, condition: (found: ModelImport) => boolean): Promise<ModelImport> {
  const end = Date.now() + 20_000;
  for (;;) {
    const found = (await listed()).find((one) => one.id === id);
    if (found && condition(found)) return found;
    if (Date.now() > end) throw new Error(`import: expected another state, got ${JSON.stringify(found)}`);
    await new Promise((done) => setTimeout(done, 20));
  }
}

const ended = (id: string) => until(id, ({ state }) => ['done', 'failed', 'stopped'].includes(state));

async function refusalOf(response: Promise<Response>): Promise<string> {
  const answer = await response;
  expect(answer.ok).toBe(false);
  return ((await answer.json()) as { error: { message: string } }).error.message;
}

describe('from the hub', () => {
  test('a model comes while nobody waits for it, and nothing is left of the import but the model', async () => {
    const { id } = await begin(TINY);
    expect(await ended(id)).toMatchObject({ state: 'done', name: 'tiny', from: 'org/tiny@main', by: { id: owner.person.id }, error: null });
    expect(await installed()).toEqual(['tiny']);
    expect(await listModels(home)).toContainEqual(
      expect.objectContaining({
        name: 'tiny',
        storedAs: ['float32'],
        source: { kind: 'hub', host: new URL(hub.url).host, repository: 'org/tiny', revision: hub.commit },
      }),
    );
    expect([await inFolder('imports'), await inFolder('downloads')]).toEqual([[], []]);
    await ask(owner, 'DELETE', `/api/imports/${id}`);
    expect(await listed()).toEqual([]);
    expect(await installed()).toEqual(['tiny']);
  });

  test('is named as people copy it, with a revision, and by its page', async () => {
    const page = `${hub.url}/org/other/tree/refs/pr/1`;
    const both = [await begin({ ...TINY, from: 'org/tiny@v1.0', name: 'mine' }), await begin({ ...TINY, from: page })];
    expect(both.map(({ from, name }) => [from, name])).toEqual([
      ['org/tiny@v1.0', 'mine'],
      ['org/other@refs/pr/1', 'other'],
    ]);
    for (const { id } of both) expect(await ended(id)).toMatchObject({ state: 'done' });
    expect((await installed()).sort()).toEqual(['mine', 'other']);
  });

  test('stopped, it keeps what came, shows nothing, and goes on where it was', async () => {
    hub.replies.push(hub.whole, hub.slowly);
    const { id } = await begin(TINY);
    await until(id, ({ done, file }) => file === WEIGHTS && done > 20_000);
    const stopped = await change(id, 'stopped');
    expect(stopped).toMatchObject({ state: 'stopped', error: null });
    expect(stopped.kept).toBeGreaterThan(20_000);
    expect(await installed()).toEqual([]);
    hub.asked.length = 0;
    await change(id, 'running');
    expect(await ended(id)).toMatchObject({ state: 'done' });
    expect(hub.asked.find(({ url }) => url.endsWith(WEIGHTS))?.range).toMatch(/^bytes=[1-9]\d+-$/);
    expect(await readFile(join(home, 'models', 'tiny', WEIGHTS))).toEqual(hub.files.get(WEIGHTS));
  });

  test('a server that was stopped meanwhile lists it, and it goes on where it was', async () => {
    hub.replies.push(hub.whole, hub.slowly);
    const { id } = await begin(TINY);
    await until(id, ({ done, file }) => file === WEIGHTS && done > 20_000);
    await world.stop();
    await open();
    const [found] = await listed();
    expect(found).toMatchObject({ id, state: 'stopped', name: 'tiny', from: 'org/tiny@main', by: { id: owner.person.id } });
    expect(found!.kept).toBeGreaterThan(20_000);
    hub.asked.length = 0;
    await change(id, 'running');
    expect(await ended(id)).toMatchObject({ state: 'done' });
    expect(hub.asked.find(({ url }) => url.endsWith(WEIGHTS))?.range).toMatch(/^bytes=[1-9]\d+-$/);
    expect(await installed()).toEqual(['tiny']);
  });

  test('discarded, it leaves nothing', async () => {
    hub.replies.push(hub.whole, hub.slowly);
    const { id } = await begin(TINY);
    await until(id, ({ done }) => done > 20_000);
    expect((await ask(owner, 'DELETE', `/api/imports/${id}`)).status).toBe(204);
    expect([await listed(), await installed(), await inFolder('downloads'), await inFolder('imports')]).toEqual([[], [], [], []]);
  });

  test('a fault is told in a line, is still known after a restart, and can be tried again', async () => {
    hub.replies.push(refuseWith(403, { 'x-error-code': 'GatedRepo' }));
    const { id } = await begin(TINY);
    const message = expect.stringContaining('got a gated model, no HF_TOKEN set');
    expect(await ended(id)).toMatchObject({ state: 'failed', error: { code: 'forbidden', message } });
    await world.stop();
    await open();
    expect(await listed()).toMatchObject([{ id, state: 'failed', error: { code: 'forbidden', message } }]);
    await change(id, 'running');
    expect(await ended(id)).toMatchObject({ state: 'done', error: null });
  });

  test.each([
    ['another family', () => hub.files.set('config.json', Buffer.from('{"model_type":"bert"}')), 'got model_type "bert"'],
    ['no such model', () => hub.replies.push(refuseWith(404, { 'x-error-code': 'RepoNotFound' })), 'got none by this name'],
    ['a redirect to this machine', () => hub.replies.push(redirectTo('http://127.0.0.1:1/x')), 'expected https, got http'],
    ['a redirect to another host', () => hub.replies.push(redirectTo('https://example.com/x')), 'got example.com'],
    ['no JSON', () => hub.files.set('config.json', Buffer.from('<html>')), 'config.json: expected JSON'],
    ['weights that are none', () => hub.files.set(WEIGHTS, Buffer.from('junk')), 'at least 8 bytes'],
  ])('%s is told, and nothing is installed', async (_, misbehave, told) => {
    misbehave();
    const { id } = await begin(TINY);
    expect(await ended(id)).toMatchObject({ state: 'failed', error: { message: expect.stringContaining(told) } });
    expect(await installed()).toEqual([]);
  });

  test('what could reach elsewhere is refused before anything is asked', async () => {
    const refused = (body: unknown) => refusalOf(ask(owner, 'POST', '/api/imports', { body }));
    expect(await refused({ ...TINY, from: 'http://169.254.169.254/latest/meta-data' })).toContain(`or a page of ${hub.url} (HF_ENDPOINT)`);
    expect(await refused({ ...TINY, from: 'https://example.com/org/tiny' })).toContain('got https://example.com');
    expect(await refused({ ...TINY, from: '../../etc' })).toContain('expected OWNER/NAME');
    expect(await refused({ ...TINY, from: 'org/tiny@../../x' })).toContain('a branch, a tag or a commit');
    expect(await refused({ ...TINY, name: '../up' })).toContain('name: expected letters, digits');
    expect(await refused({ ...TINY, endpoint: 'http://127.0.0.1:1' })).toContain('known fields alone');
    expect(hub.asked).toEqual([]);
    expect(await listed()).toEqual([]);
  });

  test('two imports do not want one name, and more than two wait for their turn', async () => {
    hub.replies.push(hub.whole, hub.whole, hub.slowly, hub.slowly);
    const running = [await begin({ ...TINY, name: 'a' }), await begin({ ...TINY, from: 'org/b' }), await begin({ ...TINY, from: 'org/c' })];
    expect(running.map(({ state }) => state)).toEqual(['running', 'running', 'waiting']);
    expect(await refusalOf(ask(owner, 'POST', '/api/imports', { body: { ...TINY, name: 'a' } }))).toContain(
      'a name that no other import has',
    );
    for (const { id } of running) expect(await ended(id)).toMatchObject({ state: 'done' });
    expect((await installed()).sort()).toEqual(['a', 'b', 'c']);
  });
});

describe('from a browser', () => {
  let files: { name: string; bytes: number; modified: number }[];
  let contents: Map<string, Buffer>;

  beforeEach(() => {
    contents = new Map(hub.files);
    files = [...contents].map(([name, data]) => ({ name, bytes: data.length, modified: 1000 }));
  });

  const upload = (change = {}) => ({ kind: 'upload', name: 'mine', files, ...change });
  const put = (id: string, file: string, at: number, data: Uint8Array) =>
    ask(owner, 'PUT', `/api/imports/${id}/files/${encodeURIComponent(file)}?at=${at}`, { body: data });

  test('a model comes in pieces, and is the one that its folder holds', async () => {
    const { id } = await begin(upload());
    for (const [name, data] of contents) {
      const half = Math.floor(data.length / 2);
      expect(await (await put(id, name, 0, data.subarray(0, half))).json()).toMatchObject({ state: 'running', stage: 'receive' });
      expect(await installed()).toEqual([]);
      expect((await put(id, name, half, data.subarray(half))).status).toBe(200);
    }
    expect(await ended(id)).toMatchObject({ state: 'done', kind: 'upload' });
    const other = await importModel(await newHome(), join(FIXTURES, 'random-gpt2'), 'mine');
    expect(await listModels(home)).toContainEqual(expect.objectContaining({ name: 'mine', hash: other.hash, source: { kind: 'upload' } }));
    expect(await inFolder('imports')).toEqual([]);
  });

  test('goes on after it was stopped, and after the server was', async () => {
    const { id } = await begin(upload());
    const data = contents.get(WEIGHTS)!;
    await put(id, WEIGHTS, 0, data.subarray(0, 5000));
    expect(await change(id, 'stopped')).toMatchObject({ state: 'stopped', kept: 5000 });
    expect(await refusalOf(put(id, WEIGHTS, 5000, data.subarray(5000)))).toContain('an upload that goes on');
    await world.stop();
    await open();
    const [left] = await listed();
    expect(left).toMatchObject({ state: 'stopped', kept: 5000 });
    expect(left!.files).toContainEqual({ name: WEIGHTS, bytes: data.length, modified: 1000, here: 5000 });
    await change(id, 'running');
    await put(id, WEIGHTS, 5000, data.subarray(5000));
    await put(id, 'config.json', 0, contents.get('config.json')!);
    expect(await ended(id)).toMatchObject({ state: 'done' });
    expect(await readFile(join(home, 'models', 'mine', WEIGHTS))).toEqual(data);
  });

  test('pieces that do not follow, that are too many, or of other files are refused, and harm nothing', async () => {
    const { id } = await begin(upload());
    const data = contents.get(WEIGHTS)!;
    expect(await refusalOf(put(id, WEIGHTS, 1, data))).toContain('bytes from 0 on');
    await put(id, WEIGHTS, 0, data.subarray(0, 1000));
    expect(await refusalOf(put(id, WEIGHTS, 0, data))).toContain('bytes from 1000 on');
    expect(await refusalOf(put(id, WEIGHTS, 1000, Buffer.concat([data, data])))).toContain('more');
    for (const file of ['other.safetensors', '../../../escape', 'import.json']) {
      expect(await refusalOf(put(id, file, 0, data))).toContain('one that the upload named');
    }
    expect(await refusalOf(ask(owner, 'PUT', `/api/imports/${id}/files/${WEIGHTS}?at=-1`))).toContain('the number of bytes');
    const { files: now } = (await listed())[0]!;
    const { here } = now.find(({ name }) => name === WEIGHTS)!;
    expect(here).toBeLessThanOrEqual(data.length);
    await put(id, WEIGHTS, here, data.subarray(here));
    await put(id, 'config.json', 0, contents.get('config.json')!);
    // More than the file has never reaches the disk, so what is here is still the file.
    expect(await ended(id)).toMatchObject({ state: 'done' });
    expect(await readFile(join(home, 'models', 'mine', WEIGHTS))).toEqual(data);
  });

  test('what is whole waits for its turn, and stopped meanwhile it stays stopped', async () => {
    const silent = () => {};
    hub.replies.push(silent, silent);
    const others = [await begin({ ...TINY, name: 'a' }), await begin({ ...TINY, from: 'org/b' })];
    const { id } = await begin(upload());
    await put(id, WEIGHTS, 0, contents.get(WEIGHTS)!);
    expect(await (await put(id, 'config.json', 0, contents.get('config.json')!)).json()).toMatchObject({ state: 'waiting' });
    expect(await change(id, 'stopped')).toMatchObject({ state: 'stopped' });
    expect(await change(id, 'running')).toMatchObject({ state: 'waiting' });
    await change(id, 'stopped');
    for (const other of others) await change(other.id, 'stopped');
    expect(await until(id, () => true)).toMatchObject({ state: 'stopped' });
    await change(id, 'running');
    expect(await ended(id)).toMatchObject({ state: 'done' });
  });

  test.skipIf(!existsSync('/dev/full'))('a disk that is full is told, and the upload goes on when it has room', async () => {
    const { id } = await begin(upload());
    const path = join(home, 'imports', id, 'files', WEIGHTS);
    await symlink('/dev/full', path);
    expect(await refusalOf(put(id, WEIGHTS, 0, contents.get(WEIGHTS)!))).toContain(
      'a disk with room for the model, got a full one (ENOSPC)',
    );
    await rm(path);
    for (const [name, data] of contents) await put(id, name, 0, data);
    expect(await ended(id)).toMatchObject({ state: 'done' });
  });

  test.skipIf(!existsSync('/dev/full'))('a disk without room for the last note leaves what was sent', async () => {
    const { id } = await begin(upload());
    const path = join(home, 'imports', id, 'files', 'pathboard.json');
    await symlink('/dev/full', path);
    for (const [name, data] of contents) await put(id, name, 0, data);
    const kept = files.reduce((sum, { bytes }) => sum + bytes, 0);
    expect(await ended(id)).toMatchObject({ state: 'failed', kept, error: { code: 'too-large' } });
    await rm(path);
    await change(id, 'running');
    expect(await ended(id)).toMatchObject({ state: 'done' });
  });

  test('what is no model leaves nothing, and can be sent again', async () => {
    const config = Buffer.from('{"model_type":"bert"}');
    files = files.map((file) => (file.name === 'config.json' ? { ...file, bytes: config.length } : file));
    const { id } = await begin(upload());
    await put(id, WEIGHTS, 0, contents.get(WEIGHTS)!);
    await put(id, 'config.json', 0, config);
    expect(await ended(id)).toMatchObject({
      state: 'failed',
      kept: 0,
      error: { message: expect.stringContaining('got model_type "bert"') },
    });
    expect(await installed()).toEqual([]);
    expect(await change(id, 'running')).toMatchObject({ state: 'running', done: 0 });
  });

  test.each([
    ['a pickle', [{ name: 'pytorch_model.bin', bytes: 1 }], 'formats that can hold a program are never taken'],
    ['a path', [{ name: '../../x.safetensors', bytes: 1 }], 'formats that can hold a program are never taken'],
    ['a path of Windows', [{ name: 'a\\x.safetensors', bytes: 1 }], 'formats that can hold'],
    ['a hidden file', [{ name: '.safetensors', bytes: 1 }], 'formats that can hold'],
    ['two of a name', [{ name: 'config.json', bytes: 1 }], 'one file of a name'],
    ['a large config', [{ name: 'tokenizer.json', bytes: 201e6 }], 'at most 200000000 bytes'],
    ['too much', [{ name: 'b.safetensors', bytes: 51e9 }], 'at most 50000000000 bytes'],
  ])('%s is refused before a byte comes', async (_, more, told) => {
    const all = [...files, ...more.map((file) => ({ ...file, modified: 1 }))];
    expect(await refusalOf(ask(owner, 'POST', '/api/imports', { body: upload({ files: all }) }))).toContain(told);
    expect(await listed()).toEqual([]);
  });

  test('a folder without config or weights, and a name that is taken, are refused before a byte comes', async () => {
    const refused = (change: object) => refusalOf(ask(owner, 'POST', '/api/imports', { body: upload(change) }));
    expect(await refused({ files: files.filter(({ name }) => name === WEIGHTS) })).toContain('config.json among them, got none');
    expect(await refused({ files: files.filter(({ name }) => name !== WEIGHTS) })).toContain('weights, *.safetensors, got none');
    expect(await refused({ name: 'attn-2l' })).toContain('a name that no other model has');
    expect(await refused({ name: 'a/b' })).toContain('letters, digits, dot');
  });
});

describe('from a folder of the server', () => {
  test('a model is copied; a folder that is none is told', async () => {
    const { id } = await begin({ kind: 'folder', from: join(FIXTURES, 'random-gpt2'), name: 'copied' });
    expect(await ended(id)).toMatchObject({ state: 'done', from: join(FIXTURES, 'random-gpt2') });
    expect(await installed()).toEqual(['copied']);
    const relative = { kind: 'folder', from: 'server/engine/fixtures/random-gpt2', name: null };
    expect(await refusalOf(ask(owner, 'POST', '/api/imports', { body: relative }))).toContain('the whole path of a folder');
    await mkdir(join(home, 'empty'));
    const empty = await begin({ kind: 'folder', from: join(home, 'empty'), name: null });
    expect(await ended(empty.id)).toMatchObject({ state: 'failed', error: { message: expect.stringContaining('config.json') } });
  });
});

describe('a model that is deleted', () => {
  test('goes only where that is meant when boards need it, and a built-in one stays', async () => {
    const { id } = await begin(TINY);
    await ended(id);
    world.app.models = { ...world.app.models, list: () => listModels(home) };
    const model = (await listModels(home)).find(({ name }) => name === 'tiny')!;
    const boardId = await world.board(owner);
    await world.app.db.update(boards).set({ model: 'tiny' }).where(eq(boards.id, boardId));
    const stranger = await world.account('Co Owner');
    const detail = async (actor: Actor) => ((await (await ask(actor, 'GET', '/api/models/tiny')).json()) as ModelDetail).uses;
    expect(await detail(owner)).toEqual({ boards: [{ id: boardId, title: 'When Mary' }], others: 0, pages: 0 });
    // Whoever may not see a board is told no more than that there is one.
    expect(await detail(stranger)).toEqual({ boards: [], others: 1, pages: 0 });
    const path = `/api/models/tiny?hash=${model.hash}`;
    expect(await refusalOf(ask(owner, 'DELETE', path))).toContain('got 1 boards and 0 published versions about it');
    expect(await refusalOf(ask(owner, 'DELETE', '/api/models/tiny?hash=abc&used=yes'))).toContain('the model with sha256 abc');
    expect(await refusalOf(ask(owner, 'DELETE', '/api/models/attn-2l?hash=abc'))).toContain('got one that is built in');
    expect(await refusalOf(ask(owner, 'DELETE', '/api/models/..%2F..?hash=abc'))).toContain('one that is installed');
    expect(await installed()).toEqual(['tiny']);
    expect((await ask(owner, 'DELETE', `${path}&used=yes`)).status).toBe(204);
    expect([await installed(), await inFolder('models')]).toEqual([[], []]);
    // Its name is free for another one.
    const again = await begin(TINY);
    expect(await ended(again.id)).toMatchObject({ state: 'done' });
  });
});

test('one that could not be noted takes no name', async () => {
  await rm(join(home, 'imports'), { recursive: true, force: true });
  await writeFile(join(home, 'imports'), 'no folder');
  expect((await ask(owner, 'POST', '/api/imports', { body: TINY })).status).toBe(500);
  expect(await listed()).toEqual([]);
  await rm(join(home, 'imports'));
  const { id } = await begin(TINY);
  expect(await ended(id)).toMatchObject({ state: 'done' });
});

test('a record that cannot be read is removed, and hides no other', async () => {
  hub.replies.push(refuseWith(404));
  const { id } = await begin(TINY);
  await ended(id);
  await world.stop();
  await mkdir(join(home, 'imports', 'broken'), { recursive: true });
  await writeFile(join(home, 'imports', 'broken', 'import.json'), '{"id":');
  await open();
  expect(await listed()).toMatchObject([{ id, state: 'failed' }]);
  expect(await inFolder('imports')).toEqual([id]);
});
