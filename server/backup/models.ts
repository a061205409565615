import { lstat, readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isMissing } from '../files.ts';
import { Refusal } from '../refusal.ts';
import type { Header } from './format.ts';

/** Imported models as a backup names them. Those that are built in come with Pathboard. */
export async function modelsIn(home: string, withFiles: boolean): Promise<Header['models']> {
  const folder = join(home, 'models');
  const names = await readdir(folder).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw error;
  });
  const models: Header['models'] = [];
  // Drafts of imports are hidden.
  for (const name of names.filter((entry) => !entry.startsWith('.')).sort()) {
    const hash = await recordedHash(join(folder, name));
    if (hash !== null) models.push({ name, hash, files: withFiles ? await filesIn(join(folder, name)) : null });
    else if (withFiles) throw new Refusal('bad-request', `model ${name}`, 'an imported model', 'a folder that no import has finished');
  }
  return models;
}

async function recordedHash(folder: string): Promise<string | null> {
  try {
    const record: unknown = JSON.parse(await readFile(join(folder, 'pathboard.json'), 'utf8'));
    return typeof record === 'object' && record !== null && 'hash' in record ? String(record.hash) : null;
  } catch {
    return null;
  }
}

async function filesIn(folder: string): Promise<{ name: string; bytes: number }[]> {
  const files = [];
  for (const name of (await readdir(folder)).sort()) {
    const info = await lstat(join(folder, name));
    if (info.isFile() && name !== 'pathboard.json') files.push({ name, bytes: info.size });
  }
  return files;
}
