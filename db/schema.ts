import { sql } from 'drizzle-orm';
import {
  bigint,
  bigserial,
  boolean,
  check,
  customType,
  index,
  integer,
  json,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
} from 'drizzle-orm/pg-core';

/**
 * One schema for the embedded and for a served Postgres. Times are epoch milliseconds, as in the records.
 * What a person or a model wrote is kept in `json`, not `jsonb`: `jsonb` refuses the character U+0000,
 * which byte-level vocabularies contain.
 */

const bytea = customType<{ data: Uint8Array; driverData: Uint8Array }>({ dataType: () => 'bytea' });
const time = (name: string) => bigint(name, { mode: 'number' });

export const people = pgTable(
  'people',
  {
    id: text('id').primaryKey(),
    name: text('name').notNull(),
    owner: boolean('owner').notNull().default(false),
    createdAt: time('created_at').notNull(),
  },
  (table) => [
    uniqueIndex('people_one_owner')
      .on(table.owner)
      .where(sql`${table.owner}`),
  ],
);

export const sessions = pgTable('sessions', {
  tokenHash: text('token_hash').primaryKey(),
  personId: text('person_id')
    .notNull()
    .references(() => people.id, { onDelete: 'cascade' }),
  createdAt: time('created_at').notNull(),
  expiresAt: time('expires_at').notNull(),
});

/** One-time links that sign the owner in. */
export const ownerLinks = pgTable('owner_links', {
  tokenHash: text('token_hash').primaryKey(),
  createdAt: time('created_at').notNull(),
  expiresAt: time('expires_at').notNull(),
  usedAt: time('used_at'),
});

export const boards = pgTable('boards', {
  id: text('id').primaryKey(),
  /** copies from the board document, for lists */
  title: text('title').notNull(),
  model: text('model').notNull(),
  prompt: text('prompt').notNull(),
  createdBy: text('created_by')
    .notNull()
    .references(() => people.id),
  createdAt: time('created_at').notNull(),
  updatedAt: time('updated_at').notNull(),
});

const boardId = () =>
  text('board_id')
    .notNull()
    .references(() => boards.id, { onDelete: 'cascade' });

export const memberships = pgTable(
  'memberships',
  {
    boardId: boardId(),
    personId: text('person_id')
      .notNull()
      .references(() => people.id, { onDelete: 'cascade' }),
    /** the name, normalised: no two members of a board may be taken for each other */
    nameKey: text('name_key').notNull(),
    joinedAt: time('joined_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.boardId, table.personId] }),
    uniqueIndex('memberships_name').on(table.boardId, table.nameKey),
    index('memberships_person').on(table.personId),
  ],
);

export const invites = pgTable('invites', {
  tokenHash: text('token_hash').primaryKey(),
  boardId: boardId(),
  createdBy: text('created_by')
    .notNull()
    .references(() => people.id),
  createdAt: time('created_at').notNull(),
  expiresAt: time('expires_at').notNull(),
});

/** The log of a room's updates since its snapshot, in the order in which they were accepted. */
export const updates = pgTable(
  'updates',
  {
    id: bigserial('id', { mode: 'number' }).primaryKey(),
    room: text('room').notNull(),
    data: bytea('data').notNull(),
    /** who sent it; null for the server */
    personId: text('person_id'),
    createdAt: time('created_at').notNull(),
  },
  (table) => [index('updates_room').on(table.room, table.id)],
);

/** What the compacted part of a room's log amounts to. */
export const snapshots = pgTable('snapshots', {
  room: text('room').primaryKey(),
  data: bytea('data').notNull(),
  createdAt: time('created_at').notNull(),
});

/** Whose Yjs client a client id is. Somebody else's updates under it would make this person's later ones vanish. */
export const writers = pgTable(
  'writers',
  {
    room: text('room').notNull(),
    clientId: bigint('client_id', { mode: 'number' }).notNull(),
    /** null for the server */
    personId: text('person_id'),
  },
  (table) => [primaryKey({ columns: [table.room, table.clientId] })],
);

/** Every id that a client ever made for the discussion, so that a retry is applied once, even after a deletion. */
export const entries = pgTable(
  'entries',
  {
    id: text('id').primaryKey(),
    boardId: boardId(),
    kind: text('kind', { enum: ['comment', 'claim', 'evidence'] }).notNull(),
    authorId: text('author_id')
      .notNull()
      .references(() => people.id),
    createdAt: time('created_at').notNull(),
  },
  (table) => [index('entries_board').on(table.boardId)],
);

export const runs = pgTable(
  'runs',
  {
    id: text('id').primaryKey(),
    /** sha256 of inputs as resolved, and environment */
    key: text('key').notNull(),
    /** sha256 of the request as asked, and environment: finds a run without executing it */
    requestKey: text('request_key').notNull(),
    boardId: boardId(),
    view: text('view').notNull(),
    request: json('request').notNull(),
    answer: json('answer').notNull(),
    authorId: text('author_id')
      .notNull()
      .references(() => people.id),
    authorName: text('author_name').notNull(),
    createdAt: time('created_at').notNull(),
    computedBy: text('computed_by', { enum: ['server'] }).notNull(),
  },
  (table) => [
    index('runs_board').on(table.boardId, table.createdAt),
    index('runs_request_key').on(table.boardId, table.requestKey),
    index('runs_key').on(table.boardId, table.key),
  ],
);

export const publications = pgTable('publications', {
  slug: text('slug').primaryKey(),
  boardId: boardId(),
  createdAt: time('created_at').notNull(),
});

/** Never updated: publishing again adds a row. */
export const publicationVersions = pgTable(
  'publication_versions',
  {
    slug: text('slug')
      .notNull()
      .references(() => publications.slug, { onDelete: 'cascade' }),
    version: integer('version').notNull(),
    title: text('title').notNull(),
    html: text('html').notNull(),
    snapshot: json('snapshot').notNull(),
    authorId: text('author_id')
      .notNull()
      .references(() => people.id),
    createdAt: time('created_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.slug, table.version] }), check('publication_versions_from_one', sql`${table.version} >= 1`)],
);
