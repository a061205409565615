import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { publicationVersions } from '../db/schema.ts';
import { addClaim, addComment, addEvidence } from './discussion.ts';
import { findPage, listPublications, publish, slugOf } from './publish.ts';
import { serveFile, servePage } from './published-response.ts';
import { runOnBoard } from './runs.ts';
import { withAuthors, type Snapshot } from '../lib/snapshot.ts';
import { openWorld, type Actor, type World } from './testing/world.ts';
import { verifyPage } from './verify-page.ts';

let world: World;
let owner: Actor;
let board: string;
const REQUEST = { title: 'Do long paths matter?', question: 'Here?', findings: '**No.**', threads: false };

beforeAll(async () => {
  world = await openWorld();
  owner = await world.owner();
  board = await world.board(owner);
  const guest = await world.guest(board, 'Grace');
  await addComment(world.app, guest.person, board, { id: crypto.randomUUID(), anchor: 'a0.h0', body: 'between us' });
  const claim = await addClaim(world.app, owner.person, board, { id: crypto.randomUUID(), anchor: null, text: 'Short paths carry it.' });
  const run = await runOnBoard(world.app, owner.person, board, { view: 'degrees', model: 'toy', prompt: 'When Mary' }, {});
  const evidence = { id: crypto.randomUUID(), runIds: [run.id], predicate: 'share(degree <= 1) > 1' };
  await addEvidence(world.app, owner.person, board, claim.id, evidence);
});
afterAll(() => world.stop());

test('publishing again makes the next version and leaves the first as it was', async () => {
  const first = await publish(world.app, owner.person, board, REQUEST);
  const before = await findPage(world.app, first.slug, 1);
  const second = await publish(world.app, owner.person, board, { ...REQUEST, title: 'Changed', slug: first.slug });
  expect([first.slug, first.version, second.slug, second.version]).toEqual(['do-long-paths-matter', 1, 'do-long-paths-matter', 2]);
  expect(first.url).toBe(`http://127.0.0.1:${world.port}/p/do-long-paths-matter/v1`);
  expect(await findPage(world.app, first.slug, 1)).toBe(before);
  expect(await findPage(world.app, first.slug, null)).toBe(await findPage(world.app, first.slug, 2));
  expect(await findPage(world.app, first.slug, 2)).toContain('Changed');
});

test('the snapshot is whole, and holds no thread that was not to be published', async () => {
  const { slug } = await publish(world.app, owner.person, board, { ...REQUEST, slug: 'without-threads' });
  const closed = await snapshotOf(slug);
  expect(closed).toMatchObject({ threads: [], authors: ['Owner'], partition: { view: 'paths' }, degrees: { view: 'degrees' } });
  expect(closed.claims[0]?.evidence[0]?.verdict.value).toBe('holds');
  expect(closed.runs.map(({ boardId }) => boardId)).toEqual([null]);
  expect(JSON.stringify(closed)).not.toContain('between us');
  const { slug: openSlug } = await publish(world.app, owner.person, board, { ...REQUEST, slug: 'with-threads', threads: true });
  const open = await snapshotOf(openSlug);
  expect(open.authors).toEqual(['Owner', 'Grace']);
  expect(open.threads[0]?.comments[0]?.body).toBe('between us');
});

test('an address belongs to one board', async () => {
  const other = await world.board(owner);
  await publish(world.app, owner.person, board, { ...REQUEST, slug: 'taken-here' });
  await expect(publish(world.app, owner.person, other, { ...REQUEST, slug: 'taken-here' })).rejects.toMatchObject({
    code: 'conflict',
    where: 'slug',
  });
  const own = await publish(world.app, owner.person, other, { ...REQUEST, title: 'Taken here' });
  expect([own.slug, own.version]).toEqual(['taken-here-2', 1]);
});

test('two publications at once are two versions', async () => {
  const both = await Promise.all([1, 2].map(() => publish(world.app, owner.person, board, { ...REQUEST, slug: 'at-once' })));
  expect(both.map(({ version }) => version).sort()).toEqual([1, 2]);
});

test('a page is served as stored, with what changes around it, and a missing one says so', async () => {
  const { slug } = await publish(world.app, owner.person, board, { ...REQUEST, slug: 'served-page' });
  const page = await servePage(world.app, slug, 'v1');
  const policy = page.headers.get('content-security-policy') ?? '';
  expect([page.status, policy]).toEqual([
    200,
    expect.stringContaining("default-src 'none'; script-src 'self'; connect-src 'self'; frame-src 'self'"),
  ]);
  expect(policy).toContain("frame-ancestors 'none'");
  const html = await page.text();
  const stored = (await findPage(world.app, slug, 1)) ?? '';
  expect(stored).not.toContain('<script');
  // Nothing of what is stored is left out or changed.
  let at = 0;
  for (const piece of stored.split(/(?=<\/(?:head|main|body)>)|(?<=<\/header>)/)) {
    at = html.indexOf(piece, at);
    expect(at).toBeGreaterThanOrEqual(0);
    at += piece.length;
  }
  const around = [
    'Nobody has verified this version yet',
    'aria-current="page">v1',
    'rel="canonical"',
    'property="og:image"',
    '@misc{served-page-v1',
  ];
  for (const part of around) expect(html).toContain(part);
  for (const version of ['v2', 'v0', '1', 'v1e3']) expect((await servePage(world.app, slug, version)).status).toBe(404);
  for (const address of ['\0', 'a\0b', '../served-page', '']) expect((await servePage(world.app, address, null)).status).toBe(404);
});

test('an anonymous page has an address whose other versions name nobody', async () => {
  const named = await publish(world.app, owner.person, board, { ...REQUEST, title: 'Under review', slug: 'under-review' });
  await expect(publish(world.app, owner.person, board, { ...REQUEST, slug: named.slug, anonymous: true })).rejects.toMatchObject({
    code: 'conflict',
    where: 'slug',
    got: '"under-review", whose other versions name their authors',
  });
  const unnamed = await publish(world.app, owner.person, board, { ...REQUEST, title: 'Under review', anonymous: true });
  expect([unnamed.slug, unnamed.version]).toEqual(['under-review-2', 1]);
  const again = await publish(world.app, owner.person, board, { ...REQUEST, slug: unnamed.slug, anonymous: true });
  expect(again.version).toBe(2);
  // Once it is accepted, the names may be told.
  expect((await publish(world.app, owner.person, board, { ...REQUEST, slug: unnamed.slug })).version).toBe(3);
});

test('an old version says which one is newer, and every version lists them all', async () => {
  await publish(world.app, owner.person, board, { ...REQUEST, slug: 'two-versions' });
  await publish(world.app, owner.person, board, { ...REQUEST, slug: 'two-versions', title: 'Better' });
  const first = await (await servePage(world.app, 'two-versions', 'v1')).text();
  const latest = await (await servePage(world.app, 'two-versions', null)).text();
  expect(first).toContain('<a href="/p/two-versions/v2">Version 2</a> is newer');
  expect(latest).not.toContain('is newer');
  for (const html of [first, latest]) for (const title of ['Better', REQUEST.title]) expect(html).toContain(title);
  expect((await listPublications(world.app, owner.person, board)).filter(({ slug }) => slug === 'two-versions')).toMatchObject([
    { version: 2, title: 'Better', url: `http://127.0.0.1:${world.port}/p/two-versions/v2` },
    { version: 1, title: REQUEST.title },
  ]);
});

test('a version that was stored before there was anything around it is read as ever', async () => {
  const { slug } = await publish(world.app, owner.person, board, { ...REQUEST, slug: 'an-old-one' });
  const { flow: _, heads: __, weights: ___, anonymous: ____, numbers: _____, ...old } = await snapshotOf(slug);
  const html = '<!doctype html><html><head><title>Old</title></head><body><main><header><h1>Old</h1></header></main></body></html>';
  await world.app.db.update(publicationVersions).set({ html, snapshot: old, card: null }).where(eq(publicationVersions.slug, slug));
  const page = await (await servePage(world.app, slug, null)).text();
  expect(page).toContain('<h1>Old</h1>');
  expect(page).toContain('Verification');
  expect(page).not.toContain('og:image');
  // Its snapshot was nobody's to read when it was made.
  await world.app.db
    .update(publicationVersions)
    .set({ snapshot: withAuthors(old as Snapshot, ({ name }) => ({ id: owner.person.id, name })) })
    .where(eq(publicationVersions.slug, slug));
  const file = await (await serveFile(world.app, slug, 'v1', 'snapshot.json')).text();
  expect([file.includes(owner.person.id), file.includes('"author-1"')]).toEqual([false, true]);
  const { report } = await verifyPage(world.app, null, { slug, version: 1 }, false, {});
  expect([report.mark, report.parts.map(({ id }) => id)]).toEqual([
    'reproduced',
    ['paths', 'degrees', expect.stringMatching(/^run:/), expect.stringMatching(/^evidence:/), expect.stringMatching(/^claim:/)],
  ]);
});

test('an address is made of the title', () => {
  expect(slugOf('Wie viele Pfade? Über 100!')).toBe('wie-viele-pfade-uber-100');
  expect(slugOf('路径')).toBe('page');
  expect(slugOf('Ab')).toBe('page-ab');
});

async function snapshotOf(slug: string): Promise<Snapshot> {
  const [row] = await world.app.db.select().from(publicationVersions).where(eq(publicationVersions.slug, slug));
  return row?.snapshot as Snapshot;
}
