import { mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { id } from '../../lib/wire.ts';
import { uploadedFile } from '../../lib/model-wire.ts';
import { log } from '../log.ts';

/** What of an import is on the disk, so that it goes on after the server was stopped. */
const record = z.strictObject({
  id,
  kind: z.enum(['hub', 'folder', 'upload']),
  /** OWNER/NAME, or a folder; null for an upload */
  from: z.string().nullable(),
  revision: z.string().nullable(),
  name: z.string(),
  by: z.strictObject({ id: z.string(), name: z.string() }),
  startedAt: z.number(),
  state: z.enum(['waiting', 'running', 'stopped', 'failed']),
  error: z.strictObject({ code: z.string(), message: z.string() }).nullable(),
  files: z.array(uploadedFile),
});
export type ImportRecord = z.infer<typeof record>;

const RECORD = 'import.json';

export function folderOf(home: string, importId: string): string {
  return join(home, 'imports', importId);
}

/** Where an upload's files are until they are a model. */
export function filesOf(home: string, importId: string): string {
  return join(folderOf(home, importId), 'files');
}

/** Whole, or as it was. */
export async function writeRecord(home: string, given: ImportRecord): Promise<void> {
  const folder = folderOf(home, given.id);
  await mkdir(folder, { recursive: true });
  const draft = join(folder, `${RECORD}.draft`);
  await writeFile(draft, JSON.stringify(given));
  await rename(draft, join(folder, RECORD));
}

export async function removeRecord(home: string, importId: string): Promise<void> {
  await rm(folderOf(home, importId), { recursive: true, force: true });
}

/** Those that an earlier process of this server left. One that cannot be read is told to whoever runs the server, and removed. */
export async function readRecords(home: string): Promise<ImportRecord[]> {
  const names = await readdir(join(home, 'imports')).catch(() => []);
  const records: ImportRecord[] = [];
  for (const name of names) {
    const parsed = record.safeParse(await readJson(join(home, 'imports', name, RECORD)));
    if (parsed.success && parsed.data.id === name) records.push(parsed.data);
    else {
      log().warn('an import that cannot be read was removed', { import: name });
      await removeRecord(home, name);
    }
  }
  return records.toSorted((a, b) => a.startedAt - b.startedAt);
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch {
    return null;
  }
}
