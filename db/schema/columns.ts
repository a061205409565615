import { bigint, customType, timestamp } from 'drizzle-orm/pg-core';

export const bytea = customType<{ data: Uint8Array; driverData: Uint8Array }>({ dataType: () => 'bytea' });

/** Epoch milliseconds. */
export const time = (name: string) => bigint(name, { mode: 'number' });

/** For the tables of better-auth. */
export const date = (name: string) => timestamp(name, { withTimezone: true, precision: 3 });
