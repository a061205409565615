/**
 * One schema for the embedded and for a served Postgres. Times are epoch milliseconds, as in the records, but for
 * the tables of better-auth, which reads and writes dates.
 */
export * from './schema/people.ts';
export * from './schema/workspaces.ts';
export * from './schema/rooms.ts';
export * from './schema/results.ts';
export * from './schema/annotation.ts';
export * from './schema/notifications.ts';
export * from './schema/jobs.ts';
