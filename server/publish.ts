import { and, desc, eq, max } from 'drizzle-orm';
import type { z } from 'zod';
import type { Database } from '../db/client.ts';
import { publicationVersions, publications } from '../db/schema.ts';
import { readLabels, readSetup } from '../lib/board/board-doc.ts';
import { readClaims, readComments, readEvidence, readThreads } from '../lib/board/discussion-doc.ts';
import type { Label, Setup } from '../lib/board/records.ts';
import type { Author, Publication, Run, newPublication } from '../lib/wire.ts';
import { authorise, type Person } from './access.ts';
import type { App } from './app.ts';
import { audit } from './audit.ts';
import { requestOf } from './boards.ts';
import { renderPublishedPage } from './published-page.ts';
import { Refusal } from './refusal.ts';
import { analyze, findBoardRun } from './runs.ts';
import type { Snapshot } from './snapshot.ts';

type Request = z.infer<typeof newPublication>;
type Discussion = Pick<Snapshot, 'threads' | 'claims' | 'runs'>;

/** Complete paths shown on a page; the rest is its remainder. */
const PATHS = 40;

/**
 * Freezes the board as it is into the next version of its page. Whatever the engine refuses, it refuses before
 * anything is stored.
 */
export async function publish(app: App, person: Person, boardId: string, request: Request): Promise<Publication> {
  const member = await authorise(app, person, 'board.publish', boardId);
  const { setup, labels } = await readBoard(app, boardId);
  const discussion = await readDiscussion(app, boardId, request.threads);
  const question = requestOf(setup);
  const partition = await analyze(app, { ...question, view: 'paths', top: PATHS }, {});
  const degrees = await analyze(app, { ...question, view: 'degrees' }, {});
  const publishedAt = app.now();
  return app.db.transaction(async (tx) => {
    const { slug, version } = await nextVersion(tx, boardId, request, publishedAt);
    const snapshot: Snapshot = {
      slug,
      version,
      title: request.title,
      question: request.question,
      findings: request.findings,
      authors: authorsOf(member, discussion),
      publishedAt,
      setup,
      partition,
      degrees,
      labels,
      ...discussion,
    };
    // Postgres keeps no U+0000 in text, and HTML allows none.
    const html = renderPublishedPage(snapshot).replaceAll('\0', '\uFFFD');
    const title = request.title.replaceAll('\0', '\uFFFD');
    await tx.insert(publicationVersions).values({ slug, version, title, html, snapshot, authorId: member.id, createdAt: publishedAt });
    const details = { slug, version, title, threads: request.threads };
    const { workspaceId } = member;
    await audit(tx, { at: publishedAt, workspaceId, boardId, by: member, action: 'board.published', details });
    const url = `${app.config.publicUrl}/p/${slug}/v${version}`;
    return { slug, version, title, url, createdAt: publishedAt };
  });
}

/** The stored page: a version, or the latest. Null where there is none. */
export async function findPage({ db }: App, slug: string, version: number | null): Promise<string | null> {
  const wanted =
    version === null
      ? eq(publicationVersions.slug, slug)
      : and(eq(publicationVersions.slug, slug), eq(publicationVersions.version, version));
  const [row] = await db
    .select({ html: publicationVersions.html })
    .from(publicationVersions)
    .where(wanted)
    .orderBy(desc(publicationVersions.version))
    .limit(1);
  return row?.html ?? null;
}

async function readBoard({ rooms }: App, boardId: string): Promise<{ setup: Setup; labels: Label[] }> {
  return rooms.use({ kind: 'board', boardId }, (room) =>
    room.read((doc) => {
      const setup = readSetup(doc);
      if (!setup) throw new Refusal('conflict', 'board', 'a setup with model and prompt', 'a document in which it is missing or broken');
      return { setup, labels: readLabels(doc).records };
    }),
  );
}

/** With `threads` false, no comment leaves the board. */
async function readDiscussion(app: App, boardId: string, withThreads: boolean): Promise<Discussion> {
  const { threads, claims } = await app.rooms.use({ kind: 'discussion', boardId }, (room) =>
    room.read((doc) => {
      const comments = withThreads ? readComments(doc).records : [];
      const evidence = readEvidence(doc).records;
      return {
        threads: (withThreads ? readThreads(doc).records : []).map((thread) => ({
          thread,
          comments: comments.filter(({ threadId }) => threadId === thread.id),
        })),
        claims: readClaims(doc).records.map((claim) => ({ claim, evidence: evidence.filter(({ claimId }) => claimId === claim.id) })),
      };
    }),
  );
  const ids = claims.flatMap(({ evidence }) => evidence.flatMap(({ runIds, reruns }) => [...runIds, ...reruns.map(({ runId }) => runId)]));
  const runs: Run[] = [];
  // The board's own id is the key of its rooms; a page has no use for it.
  for (const id of new Set(ids)) runs.push({ ...(await findBoardRun(app, boardId, id)), boardId: null });
  return { threads, claims, runs };
}

/** The publisher first, then everybody whose words are on the page. */
function authorsOf(person: Author, { threads, claims }: Discussion): string[] {
  const names = [
    person.name,
    ...claims.flatMap(({ claim, evidence }) => [claim.author.name, ...evidence.map(({ author }) => author.name)]),
    ...threads.flatMap(({ comments }) => comments.map(({ author }) => author.name)),
  ];
  return [...new Set(names)];
}

async function nextVersion(tx: Database, boardId: string, request: Request, now: number): Promise<{ slug: string; version: number }> {
  const slug = request.slug ?? (await freeSlug(tx, boardId, slugOf(request.title)));
  await tx.insert(publications).values({ slug, boardId, createdAt: now }).onConflictDoNothing();
  // Locked, so that two publications at once become two versions.
  const [publication] = await tx.select().from(publications).where(eq(publications.slug, slug)).for('update');
  if (publication?.boardId !== boardId) throw new Refusal('conflict', 'slug', 'one that no other board has', JSON.stringify(slug));
  const [latest] = await tx
    .select({ version: max(publicationVersions.version) })
    .from(publicationVersions)
    .where(eq(publicationVersions.slug, slug));
  return { slug, version: (latest?.version ?? 0) + 1 };
}

/** The slug itself, or with a number where another board has it. */
async function freeSlug(tx: Database, boardId: string, slug: string): Promise<string> {
  for (let number = 1; ; number++) {
    const candidate = number === 1 ? slug : `${slug}-${number}`;
    const [taken] = await tx.select().from(publications).where(eq(publications.slug, candidate));
    if (!taken || taken.boardId === boardId) return candidate;
  }
}

/** Letters and digits of the title, fit for an address. */
export function slugOf(title: string): string {
  const words = title
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/\p{M}/gu, '')
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 50)
    .replaceAll(/^-+|-+$/g, '');
  return words.length >= 3 ? words : `page-${words}`.replace(/-$/, '');
}
