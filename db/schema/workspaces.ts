import { sql } from 'drizzle-orm';
import { bigserial, boolean, check, index, integer, json, pgTable, primaryKey, text, uniqueIndex } from 'drizzle-orm/pg-core';
import { time } from './columns.ts';
import { people, personId } from './people.ts';

/** From most to least; what each may do is in lib/roles.ts. */
const ROLES = ['owner', 'editor', 'commenter', 'viewer'] as const;

export const workspaces = pgTable('workspaces', {
  id: text('id').primaryKey(),
  name: text('name').notNull(),
  createdAt: time('created_at').notNull(),
});

const workspaceId = () =>
  text('workspace_id')
    .notNull()
    .references(() => workspaces.id, { onDelete: 'cascade' });

/** Everybody in a workspace, or on one of its boards. */
export const members = pgTable(
  'members',
  {
    workspaceId: workspaceId(),
    personId: personId(),
    /** on every board of the workspace; null for who is on single boards alone */
    role: text('role', { enum: ROLES }),
    /** the name, normalised: no two people of a workspace may be taken for each other */
    nameKey: text('name_key').notNull(),
    joinedAt: time('joined_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.workspaceId, table.personId] }),
    uniqueIndex('members_name').on(table.workspaceId, table.nameKey),
    index('members_person').on(table.personId),
  ],
);

export const boards = pgTable(
  'boards',
  {
    id: text('id').primaryKey(),
    workspaceId: workspaceId(),
    /** copies from the board document, for lists */
    title: text('title').notNull(),
    model: text('model').notNull(),
    prompt: text('prompt').notNull(),
    createdBy: text('created_by')
      .notNull()
      .references(() => people.id),
    createdAt: time('created_at').notNull(),
    updatedAt: time('updated_at').notNull(),
    /** in the bin since then: nobody sees it, and it can be brought back */
    deletedAt: time('deleted_at'),
    /** while it is in the bin: its published pages are hidden, and go with it */
    pagesGo: boolean('pages_go').notNull().default(false),
  },
  (table) => [index('boards_workspace').on(table.workspaceId, table.updatedAt)],
);

export const boardId = () =>
  text('board_id')
    .notNull()
    .references(() => boards.id, { onDelete: 'cascade' });

/** A role on one board; the higher of this one and the workspace's counts. */
export const memberships = pgTable(
  'memberships',
  {
    boardId: boardId(),
    personId: personId(),
    role: text('role', { enum: ROLES }).notNull(),
    joinedAt: time('joined_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.boardId, table.personId] }), index('memberships_person').on(table.personId)],
);

/** Links by which people join. The token itself is nowhere. */
export const invites = pgTable(
  'invites',
  {
    id: text('id').primaryKey(),
    tokenHash: text('token_hash').notNull().unique(),
    workspaceId: workspaceId(),
    /** null: to the whole workspace */
    boardId: text('board_id').references(() => boards.id, { onDelete: 'cascade' }),
    role: text('role', { enum: ROLES }).notNull(),
    createdBy: text('created_by')
      .notNull()
      .references(() => people.id),
    createdAt: time('created_at').notNull(),
    expiresAt: time('expires_at').notNull(),
    /** null: as many as come */
    maxUses: integer('max_uses'),
    uses: integer('uses').notNull().default(0),
    revokedAt: time('revoked_at'),
  },
  (table) => [
    index('invites_workspace').on(table.workspaceId),
    check('invites_uses', sql`${table.maxUses} is null or ${table.uses} <= ${table.maxUses}`),
  ],
);

/** Who did what that others must be able to look up: membership, publishing, deletion. Outlives what it tells about. */
export const audit = pgTable(
  'audit',
  {
    id: bigserial('id', { mode: 'number' }).primaryKey(),
    at: time('at').notNull(),
    workspaceId: text('workspace_id').notNull(),
    boardId: text('board_id'),
    /** null for the server itself */
    personId: text('person_id'),
    personName: text('person_name').notNull(),
    action: text('action').notNull(),
    details: json('details').notNull(),
  },
  (table) => [index('audit_workspace').on(table.workspaceId, table.id)],
);
