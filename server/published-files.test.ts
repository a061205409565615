import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { audit } from '../db/schema.ts';
import type { ModelFiles } from './context.ts';
import { addClaim, addComment, addEvidence, takeStance } from './discussion.ts';
import { importToBoard } from './interchange.ts';
import { publish } from './publish.ts';
import { serveEmbed, serveFile, servePage } from './published-response.ts';
import { serveModelFile } from './published-model.ts';
import { runOnBoard } from './runs.ts';
import { openWorld, type Actor, type World } from './testing/world.ts';

/** What of a published page leaves the server, in whatever form, and what never does. */

let world: World;
let ada: Actor;
let grace: Actor;
let board: string;
const PAGE = { title: 'A page', question: 'Why?', findings: 'As @Grace Hopper said, $a < b$.', threads: true };
const TABLES = ['paths.csv', 'degrees.csv', 'flow.csv', 'heads.csv', 'labels.csv', 'claims.csv', 'stances.csv', 'evidence.csv'];
const FIGURES = ['paths.svg', 'degrees.svg', 'flow.svg'];
const CITATIONS = ['citation.bib', 'citation.txt'];

beforeAll(async () => {
  world = await openWorld();
  ada = await world.account('Ada Lovelace');
  board = await world.board(ada);
  grace = await world.guest(board, 'Grace Hopper', 'editor');
  await addComment(world.app, grace.person, board, { id: crypto.randomUUID(), anchor: 'a0.h0', body: 'a word to @Ada Lovelace' });
  const claim = await addClaim(world.app, ada.person, board, { id: crypto.randomUUID(), anchor: null, text: 'It is exact.' });
  await takeStance(world.app, grace.person, board, claim.id, { stance: 'against', reason: 'ask @Ada Lovelace' });
  const run = await runOnBoard(world.app, grace.person, board, { view: 'degrees', model: 'toy', prompt: 'When Mary' }, {});
  await addEvidence(world.app, grace.person, board, claim.id, { id: crypto.randomUUID(), runIds: [run.id], predicate: 'error < 1e-4' });
  await publish(world.app, ada.person, board, { ...PAGE, slug: 'with-names' });
  await publish(world.app, ada.person, board, { ...PAGE, slug: 'closed-threads', threads: false });
  await publish(world.app, ada.person, board, { ...PAGE, slug: 'double-blind', anonymous: true });
});
afterAll(() => world.stop());

const file = (slug: string, name: string) => serveFile(world.app, slug, 'v1', name);

/** Everything of a version that anybody can have, by name. */
async function everything(slug: string): Promise<Map<string, string>> {
  const files = ['snapshot.json', ...TABLES, ...FIGURES, ...CITATIONS];
  const entries = await Promise.all(files.map(async (name) => [name, await (await file(slug, name)).text()] as const));
  const page = await (await servePage(world.app, slug, 'v1')).text();
  const embed = await (await serveEmbed(world.app, slug, 'v1')).text();
  return new Map([...entries, ['page', page], ['embed', embed], ['og', page.slice(0, page.indexOf('</head>'))]]);
}

test.each([...TABLES, ...FIGURES, ...CITATIONS, 'snapshot.json', 'card.png'])('%s is there', async (name) => {
  const response = await file('with-names', name);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-security-policy')).toContain('sandbox');
  expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  expect((await response.arrayBuffer()).byteLength).toBeGreaterThan(10);
});

test.each(['', 'nothing.csv', 'constructor', '__proto__', '../v1', 'heads-previous.svg'])('a file %j is not', async (name) => {
  expect((await file('with-names', name)).status).toBe(404);
});

test('the image of a link is a PNG of the size that the page says', async () => {
  const bytes = Buffer.from(await (await file('with-names', 'card.png')).arrayBuffer());
  expect(bytes.subarray(1, 4).toString()).toBe('PNG');
  expect([bytes.readUInt32BE(16), bytes.readUInt32BE(20)]).toEqual([1200, 630]);
  // Text chunks could hold what nobody sees.
  for (const chunk of ['tEXt', 'iTXt', 'zTXt', 'eXIf']) expect(bytes.includes(chunk)).toBe(false);
});

test('a title may hold what is no character', async () => {
  await publish(world.app, ada.person, board, { ...PAGE, title: 'a \u0001\uFFFE\uFFFF page', slug: 'no-characters' });
  expect((await file('no-characters', 'card.png')).status).toBe(200);
  expect((await everything('no-characters')).get('page')).toContain('<h1>a \uFFFD\uFFFD\uFFFD page</h1>');
});

test('tables are CSV of RFC 4180', async () => {
  const claims = await (await file('with-names', 'claims.csv')).text();
  expect(claims.split('\r\n')).toEqual([
    'id,claim,anchor,author,created,verdict,for,against,unsure',
    expect.stringMatching(/^[\w-]+,It is exact\.,,Ada Lovelace,\d{4}-[\dT:.Z-]+,holds,0,1,0$/),
    '',
  ]);
});

test('formulas are MathML, which needs no script and no font', async () => {
  const page = (await everything('with-names')).get('page') ?? '';
  expect(page).toMatch(/<math xmlns="http:\/\/www\.w3\.org\/1998\/Math\/MathML">.*<mo>&lt;<\/mo>/s);
  expect(page).not.toContain('katex-html');
});

describe('nothing private', () => {
  test('no address, no id of a person or a board, no title of another board', async () => {
    for (const [name, text] of await everything('with-names')) {
      for (const secret of ['example.org', '.invalid', ada.person.id, grace.person.id, board]) {
        expect([name, text.includes(secret)]).toEqual([name, false]);
      }
    }
  });

  test('no thread that was not to be published', async () => {
    for (const [name, text] of await everything('closed-threads')) expect([name, text.includes('a word to')]).toEqual([name, false]);
    expect((await everything('with-names')).get('page')).toContain('a word to @Ada Lovelace');
  });

  test('the snapshot holds what it is known to hold', async () => {
    const snapshot = JSON.parse((await everything('with-names')).get('snapshot.json') ?? '') as Record<string, unknown>;
    const known = [
      'slug',
      'version',
      'title',
      'question',
      'findings',
      'authors',
      'publishedAt',
      'setup',
      'partition',
      'degrees',
      'flow',
      'heads',
    ];
    const people = ['labels', 'threads', 'claims', 'runs', 'mechanisms', 'anonymous', 'weights', 'numbers'];
    expect(Object.keys(snapshot).filter((key) => ![...known, ...people].includes(key))).toEqual([]);
  });
});

describe('for double-blind review', () => {
  test('no name is anywhere, and each person has one number', async () => {
    const files = await everything('double-blind');
    for (const [name, text] of files) {
      for (const who of ['Ada', 'Lovelace', 'Grace', 'Hopper']) expect([name, text.includes(who)]).toEqual([name, false]);
    }
    expect(files.get('citation.txt')).toMatch(/^Author 1, Author 2\. A page/);
    expect(files.get('page')).toContain('As @Author 2 said');
    expect(files.get('page')).toContain('a word to @Author 1');
    expect(files.get('stances.csv')).toMatch(/,Author 2,against,ask @Author 1,/);
    expect(files.get('claims.csv')).toContain(',Author 1,');
    expect(files.get('evidence.csv')).toContain(',Author 2,');
  });

  test('not in the title and its address, nor where comments that were brought in come from', async () => {
    await importToBoard(world.app, grace.person, board, {
      type: 'Annotation',
      motivation: 'commenting',
      creator: { type: 'Person', name: 'Ada Lovelace' },
      body: { type: 'TextualBody', value: 'said elsewhere' },
      target: { source: 'https://lovelace.example.net/', selector: [{ type: 'PathboardAnchorSelector', value: 'm0' }] },
    });
    const { url } = await publish(world.app, ada.person, board, { ...PAGE, title: 'What @Grace Hopper found', anonymous: true });
    const [, slug = ''] = /\/p\/(.*)\/v1$/.exec(url) ?? [];
    const files = await everything(slug);
    for (const [name, text] of files) {
      for (const who of ['ada', 'lovelace', 'grace', 'hopper']) expect([name, text.toLowerCase().includes(who)]).toEqual([name, false]);
    }
    expect(slug).toBe('what-author-2-found');
    expect(files.get('page')).toContain('<em>Imported from elsewhere:</em>');
    expect(files.get('page')).toContain('said elsewhere');
  });

  test('the log keeps who it was', async () => {
    const entries = await world.app.db.select().from(audit);
    const published = entries.filter(
      ({ action, details }) => action === 'board.published' && (details as { slug: string }).slug === 'double-blind',
    );
    expect(published).toMatchObject([{ personId: ada.person.id, personName: 'Ada Lovelace', details: { anonymous: true } }]);
  });
});

describe('a frame on another site', () => {
  test('is allowed for the embedded piece alone', async () => {
    const embed = await serveEmbed(world.app, 'with-names', 'v1');
    expect(embed.headers.get('content-security-policy')).toContain('frame-ancestors *');
    expect(embed.headers.get('content-security-policy')).not.toContain('script-src');
    const page = await servePage(world.app, 'with-names', 'v1');
    expect(page.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    const html = await embed.text();
    expect(html).not.toContain('<script');
    expect(html).toContain(`href="http://127.0.0.1:${world.port}/p/with-names/v1"`);
  });
});

describe('the weights', () => {
  const folder = new URL('../public/models/attn-2l/', import.meta.url).pathname;
  const hash = 'a'.repeat(64);
  const config = readFileSync(join(folder, 'config.json'));
  const installed: ModelFiles = { name: 'toy', folder, files: [{ name: 'config.json', bytes: config.length }] };

  async function ask(slug: string, { asked = hash, name = 'config.json', range }: { asked?: string; name?: string; range?: string } = {}) {
    const request = new Request('http://127.0.0.1/', range === undefined ? {} : { headers: { range } });
    return serveModelFile(world.app, { slug, version: 'v1', hash: asked, file: name }, request);
  }

  /** A page about a model with a hash as real models have. */
  async function published(slug: string, weights?: boolean): Promise<void> {
    const { analyze } = world.engine;
    vi.spyOn(world.engine, 'analyze').mockImplementation(async (...given) => {
      const answer = await analyze.apply(world.engine, given);
      return { ...answer, model: { ...answer.model, hash } };
    });
    await publish(world.app, ada.person, board, { ...PAGE, slug, ...(weights !== undefined && { weights }) });
    vi.restoreAllMocks();
    vi.spyOn(world.app.models, 'filesOf').mockImplementation(async (wanted) => (wanted === hash ? installed : null));
  }

  test('are served where the publisher lets readers have them, whole or in part', async () => {
    await published('with-weights', true);
    const whole = await ask('with-weights');
    expect([whole.status, whole.headers.get('accept-ranges')]).toEqual([200, 'bytes']);
    expect(Buffer.from(await whole.arrayBuffer()).equals(config)).toBe(true);
    const part = await ask('with-weights', { range: 'bytes=2-5' });
    expect([part.status, part.headers.get('content-range')]).toEqual([206, `bytes 2-5/${config.length}`]);
    expect(Buffer.from(await part.arrayBuffer()).equals(config.subarray(2, 6))).toBe(true);
    const tail = await ask('with-weights', { range: 'bytes=-3' });
    expect(Buffer.from(await tail.arrayBuffer()).equals(config.subarray(-3))).toBe(true);
    expect((await ask('with-weights', { range: `bytes=${config.length}-` })).status).toBe(416);
    expect(await (await ask('with-weights', { name: 'files.json' })).json()).toMatchObject({ hash, files: installed.files });
  });

  test('are not opened for who asks for the headers alone', async () => {
    await published('headers', true);
    const address = { slug: 'headers', version: 'v1', hash, file: 'config.json' };
    const head = await serveModelFile(world.app, address, new Request('http://test/', { method: 'HEAD' }));
    expect([head.status, head.headers.get('content-length'), head.body]).toEqual([200, String(config.length), null]);
  });

  test('are not served otherwise: not allowed, another hash, no file of the model', async () => {
    await published('without-weights', false);
    expect((await ask('without-weights')).status).toBe(404);
    expect((await ask('without-weights', { name: 'files.json' })).status).toBe(404);
    await published('by-default');
    expect((await ask('by-default')).status).toBe(404);
    await published('allowed', true);
    expect((await ask('allowed', { asked: 'b'.repeat(64) })).status).toBe(404);
    for (const name of ['../attn-2l/config.json', 'MODEL_CARD.md', 'pathboard.json', ''])
      expect((await ask('allowed', { name })).status).toBe(404);
  });

  test('of the built-in model go along unless one says no', async () => {
    vi.restoreAllMocks();
    const { url } = await publish(world.app, ada.person, board, { ...PAGE, slug: 'built-in' });
    expect(url).toContain('/p/built-in/v1');
    expect((await everything('built-in')).get('page')).toContain('files.json');
    await publish(world.app, ada.person, board, { ...PAGE, slug: 'built-in-no', weights: false });
    expect((await everything('built-in-no')).get('page')).toContain('does not pass the model on');
  });
});
