import { randomUUID } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { App } from '../app.ts';
import { writeBackup } from './write.ts';

/**
 * A backup of a running server, for the command on this machine. It goes to disk first: the embedded database waits
 * for as long as its tables are read, which must not depend on how fast somebody takes them.
 */
export async function backupResponse({ config, db, database }: App, withModels: boolean, signal: AbortSignal): Promise<Response> {
  const path = join(config.home, `.backup-${randomUUID()}`);
  const file = await open(path, 'wx+', 0o600);
  try {
    // Without a name it is gone with this process, whatever ends it.
    await rm(path);
    await writeBackup({ database: { db, engine: database.engine }, home: config.home, withModels }, file, signal);
    const { size } = await file.stat();
    const body = Readable.toWeb(file.createReadStream({ start: 0 })) as ReadableStream<Uint8Array>;
    return new Response(body, {
      headers: { 'content-type': 'application/gzip', 'content-length': String(size), 'cache-control': 'no-store' },
    });
  } catch (error) {
    await file.close();
    throw error;
  }
}
