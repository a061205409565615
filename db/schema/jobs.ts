import { index, integer, json, pgTable, text } from 'drizzle-orm/pg-core';
import { time } from './columns.ts';

/**
 * Analyses that several machines share: see server/queue. What waits and what runs is in pg-boss' own schema; here is who
 * computes, who holds what, and what came out. All of it is for the moment, and in no backup.
 */

/** Whoever takes analyses, as they say of themselves. */
export const workers = pgTable('workers', {
  id: text('id').primaryKey(),
  /** of the machine, or as whoever runs it wants it called */
  name: text('name').notNull(),
  kind: text('kind', { enum: ['server', 'worker'] }).notNull(),
  /** of Pathboard */
  version: text('version').notNull(),
  engineVersion: text('engine_version').notNull(),
  devices: json('devices').notNull(),
  /** name and hash of each model that is there */
  models: json('models').notNull(),
  running: integer('running').notNull(),
  /** milliseconds of silence after which it counts as dead, and what it held goes to others */
  lease: integer('lease').notNull(),
  startedAt: time('started_at').notNull(),
  /** by the database's clock, which all share */
  seenAt: time('seen_at').notNull(),
});

/** Which job is in whose hands, and what happened to those who had it before. */
export const jobClaims = pgTable(
  'job_claims',
  {
    jobId: text('job_id').primaryKey(),
    queue: text('queue').notNull(),
    key: text('key').notNull(),
    /** pg-boss' count of the attempt: whoever finishes another one is too late */
    attempt: integer('attempt').notNull(),
    /** null: nobody's, it waits again */
    workerId: text('worker_id'),
    /** workers that ended in the middle of it */
    crashes: integer('crashes').notNull(),
  },
  (table) => [index('job_claims_worker').on(table.workerId)],
);

/** Answers by what was asked of which model and engine. One for each, however often it was computed. */
export const jobResults = pgTable(
  'job_results',
  {
    key: text('key').primaryKey(),
    answer: json('answer').notNull(),
    bytes: integer('bytes').notNull(),
    /** who computed it */
    workerId: text('worker_id').notNull(),
    createdAt: time('created_at').notNull(),
  },
  (table) => [index('job_results_created').on(table.createdAt)],
);
