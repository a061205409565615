import { sql } from 'drizzle-orm';

/** Milliseconds by the database's clock, which all machines on it share. */
export const dbNow = sql<number>`(extract(epoch from clock_timestamp()) * 1000)::bigint`;
