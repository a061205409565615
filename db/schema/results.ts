import { sql } from 'drizzle-orm';
import { check, index, integer, json, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import { time } from './columns.ts';
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
    authorId: text('author_id')
      .notNull()
      .references(() => people.id),
    createdAt: time('created_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.slug, table.version] }), check('publication_versions_from_one', sql`${table.version} >= 1`)],
);
