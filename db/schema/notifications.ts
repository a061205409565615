import { bigserial, boolean, index, json, pgTable, primaryKey, text, uniqueIndex } from 'drizzle-orm/pg-core';
import { time } from './columns.ts';
import { people, personId } from './people.ts';
import { boardId } from './workspaces.ts';

/** What a person is told of what others did. It repeats nothing that anybody wrote: who may still read that is asked when it is shown. */
export const notifications = pgTable(
  'notifications',
  {
    id: text('id').primaryKey(),
    /** who is told */
    personId: personId(),
    boardId: boardId(),
    kind: text('kind', { enum: ['mention', 'reply', 'stance', 'verdict', 'rerun', 'role'] }).notNull(),
    /** the comment, claim or evidence; for `role` the board */
    subjectId: text('subject_id').notNull(),
    /** where it is, in the grammar of lib/board/anchors.ts; null for the board as a whole */
    anchor: text('anchor'),
    threadId: text('thread_id'),
    actorId: text('actor_id')
      .notNull()
      .references(() => people.id),
    actorName: text('actor_name').notNull(),
    createdAt: time('created_at').notNull(),
    readAt: time('read_at'),
  },
  (table) => [
    index('notifications_person').on(table.personId, table.createdAt),
    index('notifications_subject').on(table.boardId, table.subjectId),
    // The same done again by the same person is told once, at its latest.
    uniqueIndex('notifications_once').on(table.personId, table.kind, table.subjectId, table.actorId),
  ],
);

/** How far a person has read a thread, and whether its replies are to be told. Nobody else ever sees it. */
export const threadMarks = pgTable(
  'thread_marks',
  {
    personId: personId(),
    boardId: boardId(),
    threadId: text('thread_id').notNull(),
    /** comments up to then are read */
    readAt: time('read_at').notNull(),
    muted: boolean('muted').notNull(),
  },
  (table) => [primaryKey({ columns: [table.personId, table.threadId] }), index('thread_marks_board').on(table.boardId)],
);

/** What comments said before they were edited. A comment takes them along when it is deleted. */
export const commentTexts = pgTable(
  'comment_texts',
  {
    id: bigserial('id', { mode: 'number' }).primaryKey(),
    boardId: boardId(),
    commentId: text('comment_id').notNull(),
    body: json('body').notNull(),
    writtenAt: time('written_at').notNull(),
  },
  (table) => [index('comment_texts_comment').on(table.boardId, table.commentId)],
);
