import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { isPlainName } from '../engine/plain-file.ts';
import { adoptModel, draftModel, findSame } from '../model-import.ts';
import { checkModelName } from '../models.ts';
import { Refusal } from '../refusal.ts';
import { readBackup, type Header } from './format.ts';

type Model = Header['models'][number];

/**
 * Adds the models of a backup that are in it and not here; returns their names. Names come from the file: each is one
 * folder of ours, with plain files in it, and becomes a model only as the one that it was.
 * @throws Refusal where another model has the name, before anything is written
 */
export async function restoreModels(home: string, path: string, header: Header): Promise<string[]> {
  const wanted: Model[] = [];
  for (const model of header.models) {
    if (model.files === null) continue;
    checkModelName(model.name);
    for (const { name } of model.files) {
      if (!isPlainName(name)) throw new Refusal('bad-request', `backup ${path}`, 'plain file names', JSON.stringify(name));
    }
    if (!(await findSame(home, model.name, model.hash))) wanted.push(model);
  }
  for (const model of wanted) await restoreModel(home, path, model);
  return wanted.map(({ name }) => name);
}

async function restoreModel(home: string, path: string, { name, hash, files }: Model): Promise<void> {
  const bytes = (files ?? []).reduce((total, file) => total + file.bytes, 0);
  await draftModel(home, bytes, async (draft) => {
    await writeFiles(draft, path, name);
    await adoptModel(home, draft, name, { limits: { bytes: Infinity }, expected: hash });
  });
}

async function writeFiles(draft: string, path: string, model: string): Promise<void> {
  const files = new Map<string, FileHandle>();
  try {
    for await (const part of readBackup(path)) {
      if (part.kind !== 'bytes' || part.model !== model) continue;
      const file = files.get(part.file) ?? (await open(join(draft, part.file), 'wx'));
      files.set(part.file, file);
      await file.write(part.data);
    }
  } finally {
    for (const file of files.values()) await file.close();
  }
}
