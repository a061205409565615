import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { pageVerifications, publicationVersions } from '../db/schema.ts';
import type { Snapshot } from '../lib/snapshot.ts';
import { addClaim, addEvidence } from './discussion.ts';
import { publish } from './publish.ts';
import { servePage, serveReport, serveVerification } from './published-response.ts';
import { runOnBoard } from './runs.ts';
import { openWorld, type Actor, type World } from './testing/world.ts';
import { verifyPage } from './verify-page.ts';

/** Verifying a published page on the server: stored, in turn, and never the report of what the page no longer holds. */

let world: World;
let owner: Actor;
let board: string;
let now = Date.now();
const PAGE = { title: 'A page', question: '', findings: '', threads: false };

beforeAll(async () => {
  world = await openWorld({ now: () => now });
  owner = await world.owner();
  board = await world.board(owner);
  const claim = await addClaim(world.app, owner.person, board, { id: crypto.randomUUID(), anchor: null, text: 'Short paths carry it.' });
  const run = await runOnBoard(world.app, owner.person, board, { view: 'degrees', model: 'toy', prompt: 'When Mary' }, {});
  await addEvidence(world.app, owner.person, board, claim.id, {
    id: crypto.randomUUID(),
    runIds: [run.id],
    predicate: 'share(degree <= 1) > 1',
  });
});
afterAll(() => world.stop());

const publishAs = async (slug: string) => {
  await publish(world.app, owner.person, board, { ...PAGE, slug });
  return { slug, version: 1 };
};
const verify = (slug: string, again = false, person = again ? owner.person : null) =>
  verifyPage(world.app, person, { slug, version: 1 }, again, {});

/** What somebody with the database in their hands does. */
async function tamper(slug: string, change: (snapshot: Snapshot) => void): Promise<void> {
  const [row] = await world.app.db.select().from(publicationVersions).where(eq(publicationVersions.slug, slug));
  const snapshot = row!.snapshot as Snapshot;
  change(snapshot);
  await world.app.db.update(publicationVersions).set({ snapshot }).where(eq(publicationVersions.slug, slug));
}

test('anybody may ask; asked again, the stored report is shown, and an editor has it computed anew', async () => {
  await publishAs('asked-twice');
  const first = await verify('asked-twice');
  expect(first.report.mark).toBe('reproduced');
  expect(first.report.parts.map(({ id }) => id.split(':')[0])).toEqual([
    'paths',
    'degrees',
    'flow',
    'heads',
    'run',
    'evidence',
    'claim',
    'page',
  ]);
  const { asked } = world.engine;
  now += 1000;
  expect(await verify('asked-twice')).toEqual(first);
  expect(world.engine.asked).toBe(asked);
  const again = await verify('asked-twice', true);
  expect([again.createdAt, world.engine.asked > asked]).toEqual([now, true]);
  const viewer = await world.guest(board, 'A viewer', 'viewer');
  await expect(verify('asked-twice', true, viewer.person)).rejects.toMatchObject({ code: 'forbidden' });
  await expect(verifyPage(world.app, null, { slug: 'asked-twice', version: 1 }, true, {})).rejects.toMatchObject({ code: 'unauthorised' });
});

test.each([
  ['otherwise', 'data-value="1.75"', 'data-value="1.95"'],
  ['otherwise to who reads', '>+1.750</span>', '>+1.950</span>'],
  ['no longer', / data-number="[^"]*"/g, ''],
])('a number that the page’s own HTML shows %s is found', async (how, from, to) => {
  const slug = `shown-${how.replaceAll(' ', '-')}`;
  await publishAs(slug);
  const [row] = await world.app.db.select().from(publicationVersions).where(eq(publicationVersions.slug, slug));
  const html = row!.html.replace(from, to);
  expect(html).not.toBe(row!.html);
  await world.app.db.update(publicationVersions).set({ html }).where(eq(publicationVersions.slug, slug));
  const { report } = await verify(slug);
  expect(report.parts.filter(({ mark }) => mark !== 'reproduced')).toMatchObject([{ id: 'page', mark: 'not-reproduced' }]);
});

test('what is changed in the database is found, though a report on the page is stored', async () => {
  await publishAs('tampered-with');
  expect((await verify('tampered-with')).report.mark).toBe('reproduced');
  await tamper('tampered-with', ({ degrees }) => (degrees.terms[0]!.value = 0.75));
  const page = await (await servePage(world.app, 'tampered-with', 'v1')).text();
  expect(page).toContain('Nobody has verified this version yet');
  const { report } = await verify('tampered-with');
  const failed = report.parts.filter(({ mark }) => mark !== 'reproduced').map(({ id }) => id);
  expect(failed).toEqual(['degrees', 'page']);
  expect(report.parts.find(({ id }) => id === 'degrees')?.why).toContain(
    'input->logits (value): the page states 0.75, the fresh run has 0.5',
  );
  const after = await (await servePage(world.app, 'tampered-with', 'v1')).text();
  expect(after).toContain('data-outcome="not-reproduced"');
  expect(after).toContain('data-part="degrees" data-mark="not-reproduced"');
});

test('a report of another engine counts no longer, and one with gaps for ten minutes', async () => {
  await publishAs('aged');
  await verify('aged');
  await world.app.db.update(pageVerifications).set({ engineVersion: '0.0.1' }).where(eq(pageVerifications.slug, 'aged'));
  await expect(serveReport(world.app, 'aged', 'v1')).rejects.toMatchObject({ code: 'not-found' });
  expect((await verify('aged')).report.mark).toBe('reproduced');
  const models = vi.spyOn(world.app.models, 'list').mockResolvedValue([]);
  const open = await verify('aged', true);
  expect(open.report.mark).toBe('not-recomputed');
  models.mockRestore();
  now += 600_000;
  expect((await verify('aged')).report.mark).toBe('not-recomputed');
  now += 1;
  expect((await verify('aged')).report.mark).toBe('reproduced');
});

test('two readers who ask at once cost one verification', async () => {
  await publishAs('at-once-asked');
  const { asked } = world.engine;
  const [one, other] = await Promise.all([verify('at-once-asked'), verify('at-once-asked')]);
  expect(one).toEqual(other);
  // paths, degrees, flow and heads of the page; the run behind the evidence asks as the page does.
  expect(world.engine.asked - asked).toBe(5);
});

test('people at their boards go first', async () => {
  await publishAs('behind-others');
  let busy = true;
  const queue = vi.spyOn(world.app.engine, 'queue').mockImplementation(() => ({ running: busy ? 1 : 0, waiting: 0 }));
  const { asked } = world.engine;
  const pending = verify('behind-others');
  await new Promise((done) => setTimeout(done, 200));
  expect(world.engine.asked).toBe(asked);
  busy = false;
  expect((await pending).report.mark).toBe('reproduced');
  queue.mockRestore();
});

test('asked by a script it tells its progress, asked by a form it leads back to the page', async () => {
  await publishAs('two-ways');
  const ask = (accept: string) =>
    serveVerification(world.app, null, {
      slug: 'two-ways',
      version: 'v1',
      request: new Request('http://127.0.0.1/p/two-ways/v1/verify', { method: 'POST', headers: { accept } }),
    });
  const lines = (await (await ask('application/x-ndjson')).text()).trim().split('\n');
  const events = lines.map((line) => JSON.parse(line) as { type: string; html?: string });
  expect(events.at(0)?.type).toBe('progress');
  expect(events.at(-1)).toMatchObject({
    type: 'report',
    report: { mark: 'reproduced' },
    html: expect.stringContaining('Everything is reproduced'),
  });
  const form = await ask('text/html,application/xhtml+xml');
  expect([form.status, form.headers.get('location')]).toEqual([303, '/p/two-ways/v1#verification']);
  for (const version of ['v2', '1', 'v1.0']) {
    const request = new Request('http://127.0.0.1/', { method: 'POST' });
    const asked = serveVerification(world.app, null, { slug: 'two-ways', version, request });
    await expect(asked).rejects.toMatchObject({ code: 'not-found' });
  }
});
