import * as z from 'zod';
import type { Author } from './board/records.ts';

/**
 * Models, and how they come.
 *
 *   GET    /api/models/NAME                     -> ModelDetail
 *   DELETE /api/models/NAME?hash=H&used=yes     an imported one; without `used` a model that boards need is kept (409)
 *   GET    /api/imports                         -> ModelImport[]: under way, stopped, failed, and done a while ago
 *   POST   /api/imports                         newImport -> ModelImport
 *   PATCH  /api/imports/IID                     {state}: stopped keeps what came; running goes on
 *   DELETE /api/imports/IID                     forgets it, and what came of it
 *   PUT    /api/imports/IID/files/FILE?at=N     bytes of an uploaded file from its Nth on -> ModelImport
 */

export type ModelSource =
  | { kind: 'built-in' }
  /** imported by the command line or from a folder of the server */
  | { kind: 'folder' }
  /** sent from a browser */
  | { kind: 'upload' }
  | { kind: 'hub'; host: string; repository: string; revision: string };

const MOST_FILES = 1000;
const LARGEST = 1e13;

const modelName = z.string().trim().min(1).max(100);

export const uploadedFile = z.strictObject({
  name: z.string().min(1).max(200),
  bytes: z.int().min(0).max(LARGEST),
  /** epoch milliseconds: a file of the same name and size may be another one */
  modified: z.int().min(0).max(1e15),
});
export type UploadedFile = z.infer<typeof uploadedFile>;

export const newImport = z.discriminatedUnion('kind', [
  /** `from`: OWNER/NAME or OWNER/NAME@REVISION, or the address of its page */
  z.strictObject({ kind: z.literal('hub'), from: z.string().trim().min(1).max(500), name: modelName.nullable() }),
  /** a folder of the server's disk */
  z.strictObject({ kind: z.literal('folder'), from: z.string().trim().min(1).max(4000), name: modelName.nullable() }),
  z.strictObject({ kind: z.literal('upload'), name: modelName, files: z.array(uploadedFile).min(1).max(MOST_FILES) }),
]);
export type NewImport = z.infer<typeof newImport>;

export const importChange = z.strictObject({ state: z.enum(['running', 'stopped']) });

export type ImportState =
  /** for its turn */
  | 'waiting'
  | 'running'
  /** by somebody, or because the server was; goes on when asked to */
  | 'stopped'
  | 'failed'
  | 'done';

export interface ModelImport {
  id: string;
  kind: NewImport['kind'];
  /** OWNER/NAME@REVISION, or a folder; null for an upload */
  from: string | null;
  /** what the model is to be called */
  name: string;
  by: Author;
  startedAt: number;
  state: ImportState;
  stage: 'fetch' | 'copy' | 'check' | 'receive';
  file: string | null;
  /** bytes; of what the stage is about */
  done: number;
  /** null while nobody knows */
  total: number | null;
  /** bytes that are kept for going on, where it is stopped or failed */
  kept: number;
  error: { code: string; message: string } | null;
  /** of an upload: what is here of each file */
  files: (UploadedFile & { here: number })[];
}

/** What of the installation needs a model. */
export interface ModelUses {
  /** boards that whoever asks may see */
  boards: { id: string; title: string }[];
  /** boards that they may not */
  others: number;
  /** published versions that show its numbers */
  pages: number;
}

export interface ModelDetail {
  name: string;
  hash: string;
  uses: ModelUses;
  /** what it was computed on, as kept runs and the last answers tell */
  ranOn: { provider: string; dtype: string }[];
}
