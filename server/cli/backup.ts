import { createWriteStream, existsSync } from 'node:fs';
import { open, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { openDatabase, type OpenDatabase } from '../../db/client.ts';
import { openFolderAsItIs, openPostgresAsItIs } from '../../db/unmigrated.ts';
import { verifyBackup, type Header, type Trailer } from '../backup/format.ts';
import type { Counts } from '../backup/load.ts';
import { MIGRATIONS } from '../backup/migrations.ts';
import { moveToPostgres } from '../backup/move.ts';
import { restoreIntoFolder, restoreIntoPostgres } from '../backup/restore.ts';
import { writeBackup } from '../backup/write.ts';
import { readConfig, withoutSecrets } from '../config.ts';
import { isUnavailable } from '../database-errors.ts';
import { findServer, isGone } from '../local.ts';
import { takeLock } from '../lock.ts';
import { Refusal } from '../refusal.ts';
import { ROOT, fromCaller, needed, type Command } from './options.ts';
import { bytesOf, columns, print, showProgress, untilInterrupted } from './output.ts';

const URLS = ['postgres:', 'postgresql:'];

/** Written beside its place, read back and proven, and only then given its name. */
export async function backup({ home, words: [given], values }: Command): Promise<void> {
  const path = fromCaller(needed('backup', given, 'a file to write'));
  if (!existsSync(dirname(path))) throw new Refusal('bad-request', 'backup', 'a file in a folder that exists', path);
  if (existsSync(path) && !values.force) throw new Refusal('conflict', 'backup', 'a file that is not there yet, or --force', path);
  const partial = `${path}.partial`;
  await rm(partial, { force: true });
  try {
    await untilInterrupted((signal) => fetchBackup(home, partial, values['with-models'] ?? false, signal));
    const { header, trailer } = await verifyBackup(partial);
    await rename(partial, path);
    await flush(dirname(path));
    const { size } = await stat(path);
    print({ file: path, bytes: size, ...summaryOf(header, trailer.tables) }, values, () => [
      `${path}: ${bytesOf(size)}, read back and verified`,
      ...tableOf(trailer.tables),
      ...aboutModels(header, trailer),
      `not in it: ${header.leftOut.join(', ')}, and the files secret and server.json (who restores it signs in anew)`,
    ]);
  } finally {
    await rm(partial, { force: true });
  }
}

export async function restore({ home, words: [given], values }: Command): Promise<void> {
  const path = fromCaller(needed('restore', given, 'a file that pathboard backup wrote'));
  const { databaseUrl } = readConfig(process.env, ROOT);
  const release = takeLock(home);
  try {
    const { header, counts, kept, models } = await reaching(databaseUrl, () =>
      databaseUrl === null ? restoreIntoFolder(home, path, Date.now()) : restoreIntoPostgres(databaseUrl, home, path, Date.now()),
    );
    const place = databaseUrl === null ? join(home, 'db') : withoutSecrets(databaseUrl);
    print({ database: place, kept, modelsAdded: models, ...summaryOf(header, counts) }, values, () => [
      `${place}: as of ${header.createdAt}, counts and sums verified`,
      ...tableOf(counts),
      ...(models.length > 0 ? [`models added: ${models.join(', ')}`] : []),
      ...missingModels(header),
      ...(kept === null ? [] : [`the database from before is kept in ${kept}`]),
      'Everybody signs in anew; edits that browsers still hold and the backup lacks are put aside there',
    ]);
  } finally {
    release();
  }
}

export async function move({ home, words: [given], values }: Command): Promise<void> {
  const url = given ?? process.env['DATABASE_URL'];
  if (!url || !URL.canParse(url) || !URLS.includes(new URL(url).protocol)) {
    throw new Refusal(
      'bad-request',
      'move-to-postgres',
      'a URL that begins with postgres:// (or DATABASE_URL)',
      url ? 'another' : 'nothing',
    );
  }
  const release = takeLock(home);
  try {
    if (!existsSync(join(home, 'db'))) throw noDatabase(home);
    const source = await openDatabase(home, MIGRATIONS);
    const counts = await reaching(url, () => moveToPostgres(source, url)).finally(() => source.close());
    const place = withoutSecrets(url);
    print({ from: join(home, 'db'), to: place, tables: counts }, values, () => [
      `${place}: everything of ${join(home, 'db')}, counts and sums the same on both sides`,
      ...tableOf(counts),
      `From now on start with DATABASE_URL set to that URL, and PATHBOARD_HOME ${home} for models`,
      `Who is signed in stays so while the cookies' secret is the same: ${join(home, 'secret')}, or PATHBOARD_SECRET with its content`,
      `${join(home, 'db')} is as it was; without DATABASE_URL it would be used again`,
    ]);
  } finally {
    release();
  }
}

async function fetchBackup(home: string, path: string, withModels: boolean, signal: AbortSignal): Promise<void> {
  const server = findServer(home);
  if (server) {
    try {
      const body = await server.stream('/api/local/backup', { withModels }, signal);
      let done = 0;
      body.on('data', (chunk: Buffer) => showProgress(bytesOf((done += chunk.length))));
      return await pipeline(body, createWriteStream(path, { mode: 0o600, flags: 'wx', flush: true }), { signal });
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }
  const { databaseUrl } = readConfig(process.env, ROOT);
  const write = async (database: OpenDatabase) => {
    try {
      await writeBackup({ database, home, withModels }, path, signal);
    } finally {
      await database.close();
    }
  };
  if (databaseUrl !== null) return reaching(databaseUrl, async () => write(await openPostgresAsItIs(databaseUrl)));
  const release = takeLock(home);
  try {
    if (!existsSync(join(home, 'db'))) throw noDatabase(home);
    await write(await openFolderAsItIs(home));
  } finally {
    release();
  }
}

/** A database that nobody can reach is told in a line that does not hold its password. */
async function reaching<T>(url: string | null, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (url === null || !isUnavailable(error)) throw error;
    throw new Refusal('unavailable', `database ${withoutSecrets(url)}`, 'one that answers', reasonOf(error));
  }
}

function reasonOf(error: unknown): string {
  let found: unknown = error;
  while (found instanceof Error && found.cause !== undefined) found = found.cause;
  if (!(found instanceof Error)) return 'none';
  return 'code' in found && typeof found.code === 'string' ? found.code : found.message;
}

function noDatabase(home: string): Refusal {
  return new Refusal('not-found', home, 'a folder with a database', 'one without');
}

function summaryOf({ createdAt, pathboard, engine, leftOut, models }: Header, tables: Counts) {
  return {
    createdAt,
    pathboard,
    engine,
    tables,
    leftOut,
    models: models.map(({ name, hash, files }) => ({ name, hash, included: files !== null })),
  };
}

function tableOf(counts: Counts): string[] {
  const rows = Object.entries(counts).map(([name, { rows: count, sha256 }]) => [name, String(count), sha256.slice(0, 16)]);
  return columns([['table', 'rows', 'sha256'], ...rows]);
}

function aboutModels({ models }: Header, { files }: Trailer): string[] {
  if (models.length === 0) return [];
  const bytes = Object.values(files).reduce((total, file) => total + file.bytes, 0);
  const names = models.map(({ name }) => name).join(', ');
  return [
    Object.keys(files).length > 0 ? `models in it: ${names} (${bytesOf(bytes)})` : `models named, not in it: ${names} (--with-models)`,
  ];
}

function missingModels({ models }: Header): string[] {
  const named = models.filter(({ files }) => files === null).map(({ name }) => name);
  return named.length === 0 ? [] : [`models that it names, to be imported where they are missing: ${named.join(', ')}`];
}

async function flush(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
