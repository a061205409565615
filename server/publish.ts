import { and, desc, eq, isNull, max, or, sql } from 'drizzle-orm';
import type { z } from 'zod';
import type { Database } from '../db/client.ts';
import { boards, publicationVersions, publications } from '../db/schema.ts';
import { readGroups, readLabels, readSetup } from '../lib/board/board-doc.ts';
import { readClaims, readComments, readEvidence, readThreads } from '../lib/board/discussion-doc.ts';
import type { Group, Label, Setup } from '../lib/board/records.ts';
import { isEngineError, parsePath, printNode, type Answer } from '../lib/engine/index.ts';
import { sumOfMechanism } from '../lib/mechanism-sum.ts';
import { EDGES, PATHS, questionOf, type Snapshot } from '../lib/snapshot.ts';
import type { Author, Publication, Run, newPublication } from '../lib/wire.ts';
import { authorise, type Person } from './access.ts';
import { anonymised, withoutIds } from './anonymity.ts';
import { publicClaim, publicComment, publicEvidence, publicThread } from './public-records.ts';
import type { App } from './app.ts';
import { audit } from './audit.ts';
import { cardOf } from './card.ts';
import { renderPublishedPage } from './published-page.ts';
import { Refusal } from './refusal.ts';
import { analyze, findBoardRun } from './runs.ts';

type Request = z.infer<typeof newPublication>;
type Discussion = Pick<Snapshot, 'threads' | 'claims' | 'runs'>;

/** Heads whose patterns a page shows, and the longest prompt for which it does. */
const PATTERNS = { heads: 4, tokens: 40 };

/**
 * Freezes the board as it is into the next version of its page. Whatever the engine refuses, it refuses before
 * anything is stored.
 */
export async function publish(app: App, person: Person, boardId: string, request: Request): Promise<Publication> {
  const member = await authorise(app, person, 'board.publish', boardId);
  const { setup, labels, groups } = await readBoard(app, boardId);
  const discussion = await readDiscussion(app, boardId, request.threads);
  const figures = await computeFigures(app, person, setup);
  const mechanisms = await computeMechanisms(app, person, setup, groups);
  const weights = request.weights ?? (await isBuiltIn(app, figures.partition.model.hash));
  const publishedAt = app.now();
  const draft: Snapshot = {
    slug: '',
    version: 0,
    title: request.title,
    question: request.question,
    findings: request.findings,
    authors: authorsOf(member, discussion).map(({ name }) => name),
    publishedAt,
    setup,
    ...figures,
    labels,
    mechanisms,
    ...discussion,
    anonymous: request.anonymous ?? false,
    weights,
    numbers: 2,
  };
  const everybody = authorsOf(member, discussion);
  const told = request.anonymous ? anonymised(draft, everybody) : withoutIds(draft, everybody);
  const card = await app.drawPng(cardOf(told));
  return app.db.transaction(async (tx) => {
    const { slug, version } = await nextVersion(tx, boardId, { ...request, title: told.title }, publishedAt);
    const snapshot: Snapshot = { ...told, slug, version };
    // Postgres keeps no U+0000 in text, and HTML allows none.
    const html = renderPublishedPage(snapshot).replaceAll('\0', '\uFFFD');
    const title = told.title.replaceAll('\0', '\uFFFD');
    const row = { slug, version, title, html, snapshot, card, weights, authorId: member.id, createdAt: publishedAt };
    await tx.insert(publicationVersions).values(row);
    const details = { slug, version, title, threads: request.threads, anonymous: request.anonymous ?? false, weights };
    const { workspaceId } = member;
    await audit(tx, { at: publishedAt, workspaceId, boardId, by: member, action: 'board.published', details });
    return { slug, version, title, url: `${app.config.publicUrl}/p/${slug}/v${version}`, createdAt: publishedAt };
  });
}

/** What was published of a board, newest first. */
export async function listPublications(app: App, person: Person, boardId: string): Promise<Publication[]> {
  await authorise(app, person, 'board.read', boardId);
  const { slug, version, title, createdAt } = publicationVersions;
  const rows = await app.db
    .select({ slug, version, title, createdAt })
    .from(publicationVersions)
    .innerJoin(publications, eq(publications.slug, slug))
    .where(eq(publications.boardId, boardId))
    .orderBy(desc(createdAt), desc(version));
  return rows.map((row) => ({ ...row, url: `${app.config.publicUrl}/p/${row.slug}/v${row.version}` }));
}

export interface StoredVersion {
  slug: string;
  version: number;
  title: string;
  html: string;
  snapshot: Snapshot;
  hasCard: boolean;
  weights: boolean;
  boardId: string | null;
  createdAt: number;
}

/** A version as it was stored, or the latest; null where there is none, or where it lies in the bin with its board. */
export async function findVersion({ db }: App, slug: string, version: number | null): Promise<StoredVersion | null> {
  const { html, snapshot, title, weights, createdAt } = publicationVersions;
  const hasCard = sql<boolean>`${publicationVersions.card} is not null`;
  const [row] = await db
    .select({ version: publicationVersions.version, html, snapshot, title, weights, createdAt, hasCard, boardId: publications.boardId })
    .from(publicationVersions)
    .innerJoin(publications, eq(publications.slug, publicationVersions.slug))
    .leftJoin(boards, eq(boards.id, publications.boardId))
    .where(and(eq(publicationVersions.slug, slug), version === null ? undefined : eq(publicationVersions.version, version), isPublic()))
    .orderBy(desc(publicationVersions.version))
    .limit(1);
  return row ? { ...row, slug, snapshot: row.snapshot as Snapshot } : null;
}

/** Every version of a page that can be seen, newest first. */
export async function listVersions({ db }: App, slug: string): Promise<{ version: number; title: string; createdAt: number }[]> {
  const { version, title, createdAt } = publicationVersions;
  return db
    .select({ version, title, createdAt })
    .from(publicationVersions)
    .innerJoin(publications, eq(publications.slug, publicationVersions.slug))
    .leftJoin(boards, eq(boards.id, publications.boardId))
    .where(and(eq(publicationVersions.slug, slug), isPublic()))
    .orderBy(desc(version));
}

export async function findCard({ db }: App, slug: string, version: number): Promise<Uint8Array | null> {
  const [row] = await db
    .select({ card: publicationVersions.card })
    .from(publicationVersions)
    .where(and(eq(publicationVersions.slug, slug), eq(publicationVersions.version, version)));
  return row?.card ?? null;
}

/** The stored article: a version, or the latest. Null where there is none. */
export async function findPage(app: App, slug: string, version: number | null): Promise<string | null> {
  return (await findVersion(app, slug, version))?.html ?? null;
}

/** A page whose board is in the bin is there, unless it was to go along. */
function isPublic() {
  return or(isNull(boards.deletedAt), eq(boards.pagesGo, false));
}

async function computeFigures(app: App, person: Person, setup: Setup): Promise<Pick<Snapshot, 'partition' | 'degrees' | 'flow' | 'heads'>> {
  const question = questionOf(setup);
  const asking = { person: person.id };
  const partition = await analyze(app, { ...question, view: 'paths', top: PATHS }, asking);
  const degrees = await analyze(app, { ...question, view: 'degrees' }, asking);
  const flow = await analyze(app, { ...question, view: 'flow', top: EDGES }, asking);
  const nodes = partition.tokens.length <= PATTERNS.tokens ? headsOn(partition) : [];
  const heads = await analyze(app, { ...question, view: 'heads', ...(nodes.length > 0 && { nodes }) }, asking);
  return { partition, degrees, flow, heads };
}

/** A member that another model had is said to be missing; it keeps nobody from publishing. */
async function computeMechanisms(
  app: App,
  person: Person,
  setup: Setup,
  groups: readonly Group[],
): Promise<NonNullable<Snapshot['mechanisms']>> {
  const question = questionOf(setup);
  const mechanisms: NonNullable<Snapshot['mechanisms']> = [];
  for (const group of groups) {
    const sum = await sumOfMechanism(group.members, question, (request) => analyze(app, request, { person: person.id })).catch(
      (error: unknown) => {
        if (isEngineError(error) && MEMBERS.has(error.code)) return { value: null, why: error.message };
        throw error;
      },
    );
    mechanisms.push({ group, ...sum });
  }
  return mechanisms;
}

const MEMBERS: ReadonlySet<string> = new Set(['bad-name', 'bad-path']);

/** The heads on the largest paths. */
function headsOn({ terms }: Answer): string[] {
  const largest = terms.toSorted((a, b) => Math.abs(b.value ?? 0) - Math.abs(a.value ?? 0));
  const nodes = largest.flatMap(({ name }) => parsePath(name).map(({ node }) => node));
  return [...new Set(nodes.filter(({ kind }) => kind === 'head').map(printNode))].slice(0, PATTERNS.heads);
}

/** What everybody has anyway, readers may have. */
async function isBuiltIn(app: App, hash: string): Promise<boolean> {
  return (await app.models.list()).some((model) => model.hash === hash && model.builtIn);
}

async function readBoard({ rooms }: App, boardId: string): Promise<{ setup: Setup; labels: Label[]; groups: Group[] }> {
  return rooms.use({ kind: 'board', boardId }, (room) =>
    room.read((doc) => {
      const setup = readSetup(doc);
      if (!setup) throw new Refusal('conflict', 'board', 'a setup with model and prompt', 'a document in which it is missing or broken');
      return { setup, labels: readLabels(doc).records, groups: readGroups(doc).records };
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
          thread: publicThread(thread),
          comments: comments.filter(({ threadId }) => threadId === thread.id).map(publicComment),
        })),
        claims: readClaims(doc).records.map((claim) => ({
          claim: publicClaim(claim),
          evidence: evidence.filter(({ claimId }) => claimId === claim.id).map(publicEvidence),
        })),
      };
    }),
  );
  const ids = claims.flatMap(({ evidence }) => evidence.flatMap(({ runIds, reruns }) => [...runIds, ...reruns.map(({ runId }) => runId)]));
  const runs: Run[] = [];
  // The board's own id is the key of its rooms; a page has no use for it.
  for (const id of new Set(ids)) runs.push({ ...(await findBoardRun(app, boardId, id)), boardId: null });
  return { threads, claims, runs };
}

/** The publisher first, then everybody whose words are on the page, each once. */
function authorsOf(person: Author, { threads, claims }: Discussion): Author[] {
  const people = [
    { id: person.id, name: person.name },
    ...claims.flatMap(({ claim, evidence }) => [claim.author, ...evidence.map(({ author }) => author)]),
    ...threads.flatMap(({ comments }) => comments.map(({ author }) => author)),
  ];
  const byName = new Map<string, Author>();
  for (const author of people) if (!byName.has(author.name)) byName.set(author.name, author);
  return [...byName.values()];
}

async function nextVersion(
  tx: Database,
  boardId: string,
  { slug: wanted, title, anonymous = false }: Pick<Request, 'slug' | 'title' | 'anonymous'>,
  now: number,
): Promise<{ slug: string; version: number }> {
  const slug = wanted ?? (await freeSlug(tx, boardId, slugOf(title), anonymous));
  await tx.insert(publications).values({ slug, boardId, createdAt: now }).onConflictDoNothing();
  // Locked, so that two publications at once become two versions.
  const [publication] = await tx.select().from(publications).where(eq(publications.slug, slug)).for('update');
  if (publication?.boardId !== boardId) throw new Refusal('conflict', 'slug', 'one that no other board has', JSON.stringify(slug));
  if (anonymous && (await namesSomebody(tx, slug))) {
    throw new Refusal(
      'conflict',
      'slug',
      'an address of its own for an anonymous page',
      `${JSON.stringify(slug)}, whose other versions name their authors`,
    );
  }
  const [latest] = await tx
    .select({ version: max(publicationVersions.version) })
    .from(publicationVersions)
    .where(eq(publicationVersions.slug, slug));
  return { slug, version: (latest?.version ?? 0) + 1 };
}

/** A reader of one version is shown the others. */
async function namesSomebody(tx: Database, slug: string): Promise<boolean> {
  const isNamed = sql`${publicationVersions.snapshot}->>'anonymous' is distinct from 'true'`;
  const named = await tx
    .select({ version: publicationVersions.version })
    .from(publicationVersions)
    .where(and(eq(publicationVersions.slug, slug), isNamed))
    .limit(1);
  return named.length > 0;
}

/** The slug itself, or with a number where another board has it, or where it would tell who is to stay unnamed. */
async function freeSlug(tx: Database, boardId: string, slug: string, anonymous: boolean): Promise<string> {
  for (let number = 1; ; number++) {
    const candidate = number === 1 ? slug : `${slug}-${number}`;
    const [taken] = await tx.select().from(publications).where(eq(publications.slug, candidate));
    if (!taken) return candidate;
    if (taken.boardId === boardId && !(anonymous && (await namesSomebody(tx, candidate)))) return candidate;
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
