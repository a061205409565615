import { sql } from 'drizzle-orm';
import { boolean, doublePrecision, foreignKey, index, integer, json, pgTable, primaryKey, text, uniqueIndex } from 'drizzle-orm/pg-core';
import { time } from './columns.ts';
import { people, personId } from './people.ts';
import { boardId } from './workspaces.ts';

/**
 * Annotation sessions. Labels lie here and nowhere else until the reveal, when they enter the board's discussion:
 * before it nothing of somebody else's label leaves the server.
 */

const STATES = ['open', 'paused', 'revealed', 'closed'] as const;

export const annotationSessions = pgTable(
  'annotation_sessions',
  {
    /** made by the client */
    id: text('id').primaryKey(),
    boardId: boardId(),
    name: text('name').notNull(),
    instructions: text('instructions').notNull(),
    /** the label set, in the order of its keys */
    labels: json('labels').notNull(),
    /** how many people label each item; null: everyone */
    perItem: integer('per_item'),
    /** the annotators do not see values and shares before the reveal, either */
    hidesNumbers: boolean('hides_numbers').notNull(),
    /** how the items were picked */
    picked: json('picked').notNull(),
    /** the board's setup at that time, and the answer without its terms: where the items' numbers come from */
    setup: json('setup').notNull(),
    answer: json('answer').notNull(),
    state: text('state', { enum: STATES }).notNull(),
    facilitatorId: text('facilitator_id')
      .notNull()
      .references(() => people.id),
    createdAt: time('created_at').notNull(),
    /** labels are blind before, and not after */
    revealedAt: time('revealed_at'),
    /** raised by everything that changes what somebody may do or has to do */
    revision: integer('revision').notNull(),
  },
  (table) => [index('annotation_sessions_board').on(table.boardId, table.createdAt)],
);

const sessionId = () =>
  text('session_id')
    .notNull()
    .references(() => annotationSessions.id, { onDelete: 'cascade' });

/** What is to be labelled, in the order of the queue. */
export const annotationItems = pgTable(
  'annotation_items',
  {
    sessionId: sessionId(),
    /** 1, 2, … */
    item: integer('item').notNull(),
    anchor: text('anchor').notNull(),
    /** of a mechanism, as it was when the session was made: its name and its members */
    title: text('title'),
    members: json('members'),
    /** logits; null for what is no part of the expansion */
    value: doublePrecision('value'),
  },
  (table) => [primaryKey({ columns: [table.sessionId, table.item] })],
);

export const annotators = pgTable(
  'annotators',
  { sessionId: sessionId(), personId: personId(), joinedAt: time('joined_at').notNull() },
  (table) => [primaryKey({ columns: [table.sessionId, table.personId] }), index('annotators_person').on(table.personId)],
);

/** Who has which item in their queue. */
export const annotationTasks = pgTable(
  'annotation_tasks',
  {
    sessionId: sessionId(),
    item: integer('item').notNull(),
    personId: personId(),
    /** put off: it comes after the others */
    skippedAt: time('skipped_at'),
    /** whose it was before */
    takenFrom: text('taken_from'),
  },
  (table) => [
    primaryKey({ columns: [table.sessionId, table.item, table.personId] }),
    foreignKey({ columns: [table.sessionId, table.item], foreignColumns: [annotationItems.sessionId, annotationItems.item] }).onDelete(
      'cascade',
    ),
    index('annotation_tasks_person').on(table.personId),
  ],
);

export const annotationLabels = pgTable(
  'annotation_labels',
  {
    /** made by the client: it is applied once, also after it was taken back */
    id: text('id').primaryKey(),
    sessionId: sessionId(),
    item: integer('item').notNull(),
    personId: personId(),
    /** null: taken back, or another one is in its place */
    label: text('label'),
    unsure: boolean('unsure').notNull(),
    note: text('note').notNull(),
    /** given before the reveal */
    blind: boolean('blind').notNull(),
    at: time('at').notNull(),
  },
  (table) => [
    uniqueIndex('annotation_labels_one')
      .on(table.sessionId, table.item, table.personId)
      .where(sql`${table.label} is not null`),
    foreignKey({ columns: [table.sessionId, table.item], foreignColumns: [annotationItems.sessionId, annotationItems.item] }).onDelete(
      'cascade',
    ),
    index('annotation_labels_person').on(table.personId),
  ],
);
