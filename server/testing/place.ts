import { openDatabase, openPostgres, type OpenDatabase } from '../../db/client.ts';
import { MIGRATIONS } from './home.ts';

/** Where a server keeps its data; part of its configuration. */
export interface Place {
  home: string;
  /** null for the embedded database in `home` */
  databaseUrl: string | null;
}

export function openAt({ home, databaseUrl }: Place): Promise<OpenDatabase> {
  if (databaseUrl === null) return openDatabase(home, MIGRATIONS);
  // Whoever asks something of a connection that broke is told then.
  return openPostgres(databaseUrl, MIGRATIONS, () => {});
}
