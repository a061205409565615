import { bigint, bigserial, index, integer, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import { bytea, time } from './columns.ts';
import { boardId } from './workspaces.ts';
import { people } from './people.ts';

/** Rooms whose log was ever mended. */
export const rooms = pgTable('rooms', {
  room: text('room').primaryKey(),
  /** raised when something was taken out of the log: a copy of the document from before must not bring it back */
  epoch: integer('epoch').notNull().default(0),
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

/** What a room's log up to a row amounts to. The one before the last is kept, with the rows since: should the last not load. */
export const snapshots = pgTable(
  'snapshots',
  {
    room: text('room').notNull(),
    /** the last row of the log that is in it */
    lastId: bigint('last_id', { mode: 'number' }).notNull(),
    data: bytea('data').notNull(),
    createdAt: time('created_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.room, table.lastId] })],
);

/** What was taken out of a log because the document would not load with it. */
export const quarantine = pgTable(
  'quarantine',
  {
    id: bigserial('id', { mode: 'number' }).primaryKey(),
    room: text('room').notNull(),
    /** as it was numbered in the log; null for a snapshot */
    updateId: bigint('update_id', { mode: 'number' }),
    data: bytea('data').notNull(),
    personId: text('person_id'),
    reason: text('reason').notNull(),
    removedAt: time('removed_at').notNull(),
  },
  (table) => [index('quarantine_room').on(table.room)],
);

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

/** States of a board document to which one can return. */
export const versions = pgTable(
  'versions',
  {
    id: text('id').primaryKey(),
    boardId: boardId(),
    /** null for one that was kept by itself */
    name: text('name'),
    /** the whole document as one update */
    data: bytea('data').notNull(),
    authorId: text('author_id').references(() => people.id),
    authorName: text('author_name').notNull(),
    createdAt: time('created_at').notNull(),
  },
  (table) => [index('versions_board').on(table.boardId, table.createdAt)],
);
