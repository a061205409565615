import type { UploadedFile } from '@/lib/model-wire.ts';

const NEEDED = /^(?:config\.json|tokenizer\.json|model\.safetensors\.index\.json|[A-Za-z0-9_][A-Za-z0-9._-]*\.safetensors)$/;
const PICKLE = /\.(?:bin|pt|pth|pkl|ckpt)$/i;

export interface Chosen {
  files: ReadonlyMap<string, File>;
  bytes: number;
  /** of other files, which are not sent */
  ignored: number;
  /** one that could hold a program, where there are no weights beside it */
  pickle: string | null;
  /** whether it could be a model */
  isModel: boolean;
  /** of the folder, as a model may be called; empty where files were chosen */
  name: string;
}

/** What of the chosen files makes a model: of a folder, those directly in it. */
export function chosenOf(list: FileList): Chosen {
  const all = [...list].filter(({ webkitRelativePath }) => webkitRelativePath.split('/').length <= 2);
  const files = new Map(all.filter(({ name }) => NEEDED.test(name)).map((file) => [file.name, file]));
  const weights = [...files.keys()].filter((name) => name.endsWith('.safetensors'));
  const folder = all[0]?.webkitRelativePath.split('/', 1)[0] ?? '';
  return {
    files,
    bytes: [...files.values()].reduce((sum, { size }) => sum + size, 0),
    ignored: list.length - files.size,
    pickle: weights.length > 0 ? null : (all.find(({ name }) => PICKLE.test(name))?.name ?? null),
    isModel: weights.length > 0 && files.has('config.json'),
    name: folder
      .replaceAll(/[^A-Za-z0-9._-]+/g, '-')
      .replace(/^[^A-Za-z0-9]+/, '')
      .slice(0, 100),
  };
}

export function describe(files: ReadonlyMap<string, File>): UploadedFile[] {
  return [...files].map(([name, { size, lastModified }]) => ({ name, bytes: size, modified: lastModified }));
}

/** The first file of the upload that is not among the chosen ones as it was; null where all are. */
export function missingOf(expected: readonly UploadedFile[], files: ReadonlyMap<string, File>): string | null {
  const isSame = ({ name, bytes, modified }: UploadedFile) => files.get(name)?.size === bytes && files.get(name)?.lastModified === modified;
  return expected.find((file) => !isSame(file))?.name ?? null;
}
