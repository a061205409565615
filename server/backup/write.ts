import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { Database, OpenDatabase } from '../../db/client.ts';
import { VERSION } from '../version.ts';
import { ByteDigester, FORMAT, FORMAT_VERSION, type Header, type Trailer } from './format.ts';
import { modelsIn } from './models.ts';
import { Digester, readRows } from './rows.ts';
import { MOMENTARY_TABLES, inSnapshot, lastMigration, readSequences, readTables } from './tables.ts';

/** Whoever reads a backup must not be able to sign in with what it holds. */
export const LEFT_OUT_TABLES: readonly string[] = ['owner_links', 'sessions', 'verifications', ...MOMENTARY_TABLES].sort();
/** What opens other services. Password hashes are kept: without them nobody could sign in again. */
export const LEFT_OUT_COLUMNS: readonly string[] = ['accounts.access_token', 'accounts.refresh_token', 'accounts.id_token'];

export interface BackupSource {
  database: Pick<OpenDatabase, 'db' | 'engine'>;
  /** PATHBOARD_HOME, for its models */
  home: string;
  withModels: boolean;
}

/** Of a model's file, in bytes. */
const PIECE = 3_000_000;
/** Higher ones take several times as long for a few percent. */
const COMPRESSION = 3;

/**
 * Writes a backup of one consistent state to a path where nothing is yet, for nobody else to read, or to an open file.
 * The embedded database has one connection: it stores nothing else until its tables are written.
 */
export async function writeBackup(source: BackupSource, to: string | FileHandle, signal?: AbortSignal): Promise<void> {
  const models = await modelsIn(source.home, source.withModels);
  const sink = new Sink(to, signal);
  const trailer: Trailer = { tables: {}, sequences: {}, files: {} };
  try {
    await inSnapshot(source.database.db, async (tx) => {
      const header = await headerOf(tx, source, models);
      await sink.line(header);
      for (const table of header.tables) {
        await sink.line({ table: table.name });
        const digest = new Digester();
        for await (const rows of readRows(tx, table, LEFT_OUT_COLUMNS)) await sink.write(digest.add(rows));
        trailer.tables[table.name] = digest.end();
      }
      // Read last: they are of no transaction, and must not be behind any row.
      trailer.sequences = await readSequences(tx);
    });
    for (const { name, files } of models) {
      for (const file of files ?? []) trailer.files[`${name}/${file.name}`] = await writeFile(sink, source.home, name, file.name);
    }
    await sink.end(trailer);
  } catch (error) {
    sink.destroy();
    throw error;
  }
}

async function headerOf(tx: Database, { database }: BackupSource, models: Header['models']): Promise<Header> {
  const tables = await readTables(tx);
  return {
    format: FORMAT,
    version: FORMAT_VERSION,
    pathboard: VERSION,
    migration: await lastMigration(tx),
    createdAt: new Date().toISOString(),
    engine: database.engine,
    tables: tables.filter(({ name }) => !LEFT_OUT_TABLES.includes(name)),
    leftOut: [...LEFT_OUT_TABLES, ...LEFT_OUT_COLUMNS],
    models,
  };
}

async function writeFile(sink: Sink, home: string, model: string, file: string): Promise<Trailer['files'][string]> {
  await sink.line({ model, file });
  const digest = new ByteDigester();
  const pieces: AsyncIterable<Buffer> = createReadStream(join(home, 'models', model, file), { highWaterMark: PIECE });
  for await (const piece of pieces) {
    digest.add(piece);
    await sink.line([piece.toString('base64')]);
  }
  return digest.end();
}

/** Compressed lines into a file, no faster than the disk takes them. */
class Sink {
  private readonly gzip = createGzip({ level: COMPRESSION });
  private readonly hash = createHash('sha256');
  private readonly done: Promise<void>;

  constructor(to: string | FileHandle, signal?: AbortSignal) {
    const file =
      typeof to === 'string'
        ? createWriteStream(to, { mode: 0o600, flags: 'wx', flush: true })
        : // Not the handle's own stream: a handle that lent one which stays open never closes again.
          createWriteStream('', { fd: to.fd, autoClose: false, flush: true });
    this.done = pipeline(this.gzip, file, { signal });
    // Told to whoever writes next.
    this.done.catch(() => {});
  }

  line(value: unknown): Promise<void> {
    return this.write(`${JSON.stringify(value)}\n`);
  }

  async write(text: string): Promise<void> {
    this.hash.update(text);
    if (this.gzip.destroyed) await this.done;
    if (!this.gzip.write(text)) await Promise.race([once(this.gzip, 'drain'), this.done]);
  }

  async end(trailer: Trailer): Promise<void> {
    await this.line(trailer);
    await this.line({ sha256: this.hash.copy().digest('hex') });
    this.gzip.end();
    await this.done;
  }

  destroy(): void {
    this.gzip.destroy();
  }
}
