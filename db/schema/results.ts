import { sql } from 'drizzle-orm';
import { boolean, check, foreignKey, index, integer, json, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import { bytea, time } from './columns.ts';
import { people } from './people.ts';
import { boardId, boards } from './workspaces.ts';

/**
 * What a person or a model wrote is kept in `json`, not `jsonb`: `jsonb` refuses the character U+0000,
 * which byte-level vocabularies contain.
 */

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
  /** null: the board is gone; what was published stays, and its address is nobody else's */
  boardId: text('board_id').references(() => boards.id, { onDelete: 'set null' }),
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
    /** what links to the page show of it, PNG; null for versions from before there were any */
    card: bytea('card'),
    /** whether readers may have the model's weights */
    weights: boolean('weights').notNull().default(false),
    authorId: text('author_id')
      .notNull()
      .references(() => people.id),
    createdAt: time('created_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.slug, table.version] }), check('publication_versions_from_one', sql`${table.version} >= 1`)],
);

/** The last report on each published version. It counts for what it was made of alone. */
export const pageVerifications = pgTable(
  'page_verifications',
  {
    slug: text('slug').notNull(),
    version: integer('version').notNull(),
    /** sha256 of the snapshot and the page that were verified */
    contentHash: text('content_hash').notNull(),
    engineVersion: text('engine_version').notNull(),
    report: json('report').notNull(),
    createdAt: time('created_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.slug, table.version] }),
    foreignKey({
      name: 'page_verifications_version',
      columns: [table.slug, table.version],
      foreignColumns: [publicationVersions.slug, publicationVersions.version],
    }).onDelete('cascade'),
  ],
);

/** Graphs that somebody brought from elsewhere. Nothing here has been computed, let alone verified. */
export const importedGraphs = pgTable(
  'imported_graphs',
  {
    id: text('id').primaryKey(),
    boardId: boardId(),
    name: text('name').notNull(),
    format: text('format', { enum: ['attribution-graph', 'eap'] }).notNull(),
    /** as it came */
    graph: json('graph').notNull(),
    nodes: integer('nodes').notNull(),
    links: integer('links').notNull(),
    authorId: text('author_id')
      .notNull()
      .references(() => people.id),
    authorName: text('author_name').notNull(),
    createdAt: time('created_at').notNull(),
  },
  (table) => [index('imported_graphs_board').on(table.boardId, table.createdAt)],
);
