import type { z } from 'zod';
import type { ModelImport, NewImport, importChange } from '../lib/model-wire.ts';
import { authorOf, authoriseInstallation, type Person } from './access.ts';
import type { App } from './app.ts';

/** Imports of models, for who may have them. */

export async function listImports(app: App, person: Person): Promise<ModelImport[]> {
  await authoriseInstallation(app, person, 'models.import');
  return app.imports.list();
}

export async function startImport(app: App, person: Person, request: NewImport): Promise<ModelImport> {
  const someone = await authoriseInstallation(app, person, request.kind === 'folder' ? 'models.import-folder' : 'models.import');
  return app.imports.start(request, authorOf(someone));
}

export async function changeImport(
  app: App,
  person: Person,
  importId: string,
  { state }: z.infer<typeof importChange>,
): Promise<ModelImport> {
  await authoriseInstallation(app, person, 'models.import');
  return state === 'stopped' ? app.imports.stop(importId) : app.imports.resume(importId);
}

export async function discardImport(app: App, person: Person, importId: string): Promise<void> {
  await authoriseInstallation(app, person, 'models.import');
  await app.imports.discard(importId);
}

/** A piece of a file of an upload. Whoever may import may send it: the one who began may have gone to another machine. */
export async function receiveUpload(
  app: App,
  person: Person,
  importId: string,
  { file, at, body }: { file: string; at: number; body: ReadableStream<Uint8Array> | null },
): Promise<ModelImport> {
  await authoriseInstallation(app, person, 'models.import');
  return app.imports.receive(importId, file, at, body);
}
