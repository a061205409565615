import { and, eq } from 'drizzle-orm';
import { createHash } from 'node:crypto';
import { pageVerifications } from '../db/schema.ts';
import { ENGINE_VERSION, EngineError, type AnalyzeRequest } from '../lib/engine/index.ts';
import { shownNumbers } from '../lib/verify-numbers.ts';
import { verifySnapshot, type Report } from '../lib/verify.ts';
import { authorise, requirePerson, type Person } from './access.ts';
import type { App } from './app.ts';
import type { AnalyzeOptions } from './context.ts';
import type { StoredReport } from '../lib/figures/report.ts';
import { findVersion, type StoredVersion } from './publish.ts';
import { Refusal } from './refusal.ts';
import { canonical } from './run-key.ts';
import { analyze } from './runs.ts';

/** Readers who may wait for their turn. */
const MOST_WAITING = 20;
/** Milliseconds that one verification may take, and that each of its steps lets people at their boards go first. */
const MOST_TIME = 600_000;
const PATIENCE = 5000;
const GLANCE = 50;
/** Milliseconds for which it counts that something could not be computed: a model may be installed any time. */
const OPEN_LIFE = 600_000;

export interface Address {
  slug: string;
  version: number;
}

/**
 * The report on a version: the stored one where it is about what the page holds now and comes from this engine, else a new
 * one, computed in turn. Who publishes on the board may have it computed again.
 */
export async function verifyPage(
  app: App,
  person: Person | null,
  { slug, version }: Address,
  again: boolean,
  options: AnalyzeOptions,
): Promise<StoredReport> {
  const page = await findVersion(app, slug, version);
  if (!page) throw new Refusal('not-found', 'page', 'a published version', JSON.stringify(`/p/${slug}/v${version}`));
  if (again) {
    const known = requirePerson(person);
    if (page.boardId === null) throw new Refusal('not-found', 'board', 'the board of this page', 'none any more');
    await authorise(app, known, 'board.publish', page.boardId);
  }
  const stored = again ? null : await findReport(app, page);
  if (stored) return stored;
  if (app.verifying.waiting >= MOST_WAITING) throw new Refusal('unavailable', 'verification', `at most ${MOST_WAITING} at a time`, 'more');
  return app.verifying.take(async () => {
    options.signal?.throwIfAborted();
    // Somebody before us may have asked the same.
    return (again ? null : await findReport(app, page)) ?? computeReport(app, page, options);
  });
}

/** What was found out about exactly this page by this engine, or null. */
export async function findReport(app: App, page: StoredVersion): Promise<StoredReport | null> {
  const { slug, version, contentHash, engineVersion } = pageVerifications;
  const [row] = await app.db
    .select()
    .from(pageVerifications)
    .where(and(eq(slug, page.slug), eq(version, page.version), eq(contentHash, hashOf(page)), eq(engineVersion, ENGINE_VERSION)));
  if (!row) return null;
  const report = row.report as Report;
  const isOpen = report.parts.some(({ mark }) => mark === 'not-recomputed');
  return isOpen && app.now() - row.createdAt > OPEN_LIFE ? null : { report, createdAt: row.createdAt };
}

async function computeReport(app: App, page: StoredVersion, { signal, onProgress }: AnalyzeOptions): Promise<StoredReport> {
  const end = app.now() + MOST_TIME;
  const engine = {
    models: () => app.models.list(),
    async analyze(request: AnalyzeRequest) {
      await letOthersGoFirst(app);
      if (app.now() > end) throw new EngineError('unsupported', 'verification', `to end within ${MOST_TIME / 60_000} minutes`, 'more');
      // What is stored anywhere would verify nothing.
      return analyze(app, request, { signal, urgency: 'batch', fresh: true });
    },
  };
  const shown = shownNumbers(page.html);
  const report = await verifySnapshot(page.snapshot, engine, { shown, ...(onProgress && { onProgress }) });
  const createdAt = app.now();
  const row = { contentHash: hashOf(page), engineVersion: ENGINE_VERSION, report, createdAt };
  await app.db
    .insert(pageVerifications)
    .values({ slug: page.slug, version: page.version, ...row })
    .onConflictDoUpdate({ target: [pageVerifications.slug, pageVerifications.version], set: row });
  return { report, createdAt };
}

/** People at their boards do not wait for readers. */
async function letOthersGoFirst({ engine }: App): Promise<void> {
  const end = Date.now() + PATIENCE;
  const isBusy = () => engine.queue().running + engine.queue().waiting > 0;
  while (isBusy() && Date.now() < end) await new Promise((done) => setTimeout(done, GLANCE));
}

function hashOf({ html, snapshot }: StoredVersion): string {
  return createHash('sha256').update(canonical(snapshot)).update('\0').update(html).digest('hex');
}
