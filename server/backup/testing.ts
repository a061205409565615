import { sql } from 'drizzle-orm';
import { mkdtempSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatabase, type Database } from '../../db/client.ts';
import * as schema from '../../db/schema.ts';
import { MIGRATIONS, newHome } from '../testing/home.ts';
import { inSnapshot, readTables } from './tables.ts';
import { digestTable } from './rows.ts';
import type { Counts } from './load.ts';
import { writeBackup } from './write.ts';

/** For tests: a database with something in every table, as awkward as each column allows. */

const AT = Date.UTC(2026, 10, 23, 1, 2, 3) + 4;
/** Quotes, backslashes, what JSON and arrays escape, several bytes a character, and text that sorts otherwise by locale. */
const AWKWARD = 'Ärger\t"\'\\{},\n\r NULL \u2028 𝔘 %s $1 ;--';
export const BYTES = Uint8Array.from({ length: 70_000 }, (_, i) => (i * i + (i >> 8)) & 255);
/** What byte-level vocabularies hold, and `jsonb` would refuse. */
const JSON_VALUE = { text: `a\u0000b${AWKWARD}`, numbers: [0.1, 1e300, -0, 2 ** 60], nested: { null: null, empty: {} } };
/** Of the log: numbers that were given and taken back since, which must not be given again. */
export const LAST_UPDATE = 5000;

export async function fillEveryTable(db: Database): Promise<void> {
  const dates = { createdAt: new Date(AT), updatedAt: new Date(AT + 1) };
  const people = [
    // Refers to somebody whose row comes later.
    { id: 'a-guest-0001', name: AWKWARD, email: 'a@guest.invalid', isAnonymous: true, mergedInto: 'z-person-001', ...dates },
    { id: 'B-person-002', name: 'B', email: 'b@example.org', image: '', ...dates },
    { id: 'z-person-001', name: 'Owner', email: 'z@example.org', owner: true, ...dates },
    { id: 'ä-person-003', name: 'ä', email: 'ä@example.org', ...dates, createdAt: new Date(0) },
  ];
  await db.insert(schema.people).values(people);
  const [personId, boardId, workspaceId] = ['z-person-001', 'board-000001', 'workspace-01'];
  await db.insert(schema.workspaces).values({ id: workspaceId, name: AWKWARD, createdAt: AT });
  await db.insert(schema.members).values([
    { workspaceId, personId, role: 'owner', nameKey: 'owner', joinedAt: AT },
    { workspaceId, personId: 'B-person-002', role: null, nameKey: 'b', joinedAt: 0 },
  ]);
  const board = { workspaceId, title: AWKWARD, model: 'toy', prompt: '', createdBy: personId, createdAt: AT, updatedAt: AT };
  await db.insert(schema.boards).values([
    { ...board, id: boardId },
    { ...board, id: 'board-000002', deletedAt: AT },
  ]);
  await db.insert(schema.memberships).values({ boardId, personId: 'B-person-002', role: 'commenter', joinedAt: AT });
  await db.insert(schema.invites).values([
    {
      id: 'invite-00001',
      tokenHash: 'hash-1',
      workspaceId,
      boardId,
      role: 'viewer',
      createdBy: personId,
      createdAt: AT,
      expiresAt: AT,
      maxUses: 3,
      uses: 2,
    },
    {
      id: 'invite-00002',
      tokenHash: 'hash-2',
      workspaceId,
      role: 'editor',
      createdBy: personId,
      createdAt: AT,
      expiresAt: AT,
      revokedAt: AT,
    },
  ]);
  await db.insert(schema.audit).values({ at: AT, workspaceId, personName: AWKWARD, action: 'member.add', details: JSON_VALUE });
  const room = `board/${boardId}`;
  await db.insert(schema.rooms).values({ room, epoch: 3 });
  await db.insert(schema.updates).values([
    { id: LAST_UPDATE, room: 'board/gone', data: new Uint8Array(), createdAt: 0 },
    ...Array.from({ length: 2500 }, (_, i) => ({
      id: i + 1,
      room,
      data: BYTES.subarray(i, i + (i % 300)),
      personId: i % 2 ? personId : null,
      createdAt: AT + i,
    })),
  ]);
  await db.execute(sql`select setval('updates_id_seq', ${LAST_UPDATE})`);
  await db.delete(schema.updates).where(sql`id = ${LAST_UPDATE}`);
  await db.insert(schema.snapshots).values([
    { room, lastId: LAST_UPDATE, data: new Uint8Array(6_000_000).fill(7), createdAt: AT },
    { room: 'discussion/board-000001', lastId: 0, data: BYTES, createdAt: AT },
  ]);
  await db.insert(schema.quarantine).values({ room, updateId: 7, data: BYTES, reason: AWKWARD, removedAt: AT });
  await db.insert(schema.writers).values([
    { room, clientId: 4_294_967_295, personId },
    { room, clientId: 9, personId: null },
    { room, clientId: 10, personId },
  ]);
  await db
    .insert(schema.versions)
    .values({ id: 'version-0001', boardId, name: null, data: BYTES, authorId: personId, authorName: '', createdAt: AT });
  await db.insert(schema.entries).values({ id: 'entry-000001', boardId, kind: 'claim', authorId: personId, createdAt: AT });
  await db.insert(schema.runs).values({
    id: 'run-00000001',
    key: 'key',
    requestKey: 'request',
    boardId,
    view: 'paths',
    request: JSON_VALUE,
    answer: { ...JSON_VALUE, long: 'x'.repeat(5_000_000) },
    authorId: personId,
    authorName: AWKWARD,
    createdAt: AT,
    computedBy: 'server',
  });
  const about = { boardId, subjectId: 'entry-000001', actorId: personId, actorName: AWKWARD, createdAt: AT };
  await db.insert(schema.notifications).values([
    { ...about, id: 'notice-0001', personId: 'B-person-002', kind: 'mention', anchor: 'm0', threadId: 'thread-00001', readAt: AT },
    { ...about, id: 'notice-0002', personId: 'B-person-002', kind: 'role' },
  ]);
  await db.insert(schema.threadMarks).values({ personId, boardId, threadId: 'thread-00001', readAt: AT, muted: true });
  await db.insert(schema.commentTexts).values({ boardId, commentId: 'entry-000001', body: AWKWARD, writtenAt: AT });
  const sessionId = 'annotation-1';
  const item = { sessionId, item: 1 };
  await db.insert(schema.annotationSessions).values({
    id: sessionId,
    boardId,
    name: AWKWARD,
    instructions: '',
    labels: ['a', AWKWARD],
    perItem: null,
    hidesNumbers: false,
    picked: JSON_VALUE,
    setup: JSON_VALUE,
    answer: JSON_VALUE,
    state: 'paused',
    facilitatorId: personId,
    createdAt: AT,
    revealedAt: null,
    revision: 2,
  });
  await db.insert(schema.annotationItems).values([
    { ...item, anchor: 'input->logits', value: 0.1 + 0.2 },
    { ...item, item: 2, anchor: 'group:abc', title: AWKWARD, members: ['m0'], value: null },
  ]);
  await db.insert(schema.annotators).values({ sessionId, personId, joinedAt: AT });
  await db.insert(schema.annotationTasks).values({ ...item, personId, skippedAt: AT, takenFrom: 'B-person-002' });
  await db.insert(schema.annotationLabels).values([
    { ...item, id: 'label-000001', personId, label: null, unsure: false, note: '', blind: true, at: AT },
    { ...item, id: 'label-000002', personId, label: AWKWARD, unsure: true, note: AWKWARD, blind: true, at: AT },
  ]);
  await db.insert(schema.publications).values({ slug: 'slug', boardId, createdAt: AT });
  await db
    .insert(schema.publicationVersions)
    .values({ slug: 'slug', version: 1, title: AWKWARD, html: '<p>', snapshot: JSON_VALUE, authorId: personId, createdAt: AT });
  await db
    .insert(schema.pageVerifications)
    .values({ slug: 'slug', version: 1, contentHash: 'hash', engineVersion: '0.0.0', report: JSON_VALUE, createdAt: AT });
  await db.insert(schema.importedGraphs).values({
    id: 'graph-00001',
    boardId,
    name: AWKWARD,
    format: 'eap',
    graph: JSON_VALUE,
    nodes: 2,
    links: 1,
    authorId: personId,
    authorName: AWKWARD,
    createdAt: AT,
  });
  const expiresAt = new Date(AT + 999);
  await db.insert(schema.accounts).values({
    id: 'account-0001',
    accountId: personId,
    providerId: 'credential',
    userId: personId,
    password: 'hash of a password',
    accessToken: 'opens another service',
    refreshToken: 'opens another service',
    idToken: 'opens another service',
  });
  await db.insert(schema.sessions).values({ id: 'session-0001', token: 'signs somebody in', userId: personId, expiresAt });
  await db.insert(schema.verifications).values({ id: 'verify-00001', identifier: 'x', value: 'signs somebody in', expiresAt });
  await db.insert(schema.ownerLinks).values({ tokenHash: 'signs the owner in', createdAt: AT, expiresAt: AT });
}

/** A folder with such a database: copied, as others are changed. Whoever asks removes it. */
export async function newFullHome(): Promise<string> {
  full ??= makeFull();
  const home = mkdtempSync(join(tmpdir(), 'pathboard-full-'));
  await cp(join(await full, 'db'), join(home, 'db'), { recursive: true });
  return home;
}

let full: Promise<string> | null = null;

async function makeFull(): Promise<string> {
  const home = await newHome();
  await withDatabase(home, fillEveryTable);
  return home;
}

export function backUp(home: string, path: string, withModels = false): Promise<void> {
  return withDatabase(home, (db) => writeBackup({ database: { db, engine: 'pglite' }, home, withModels }, path));
}

export async function withDatabase<T>(home: string, work: (db: Database) => Promise<T>): Promise<T> {
  const { db, close } = await openDatabase(home, MIGRATIONS);
  try {
    return await work(db);
  } finally {
    await close();
  }
}

/** What every table of a database holds, as counts and sums. */
export function digests(db: Database, blank: readonly string[] = []): Promise<Counts> {
  return inSnapshot(db, async (tx) => {
    const counts: Counts = {};
    for (const table of await readTables(tx)) counts[table.name] = await digestTable(tx, table, blank);
    return counts;
  });
}
