import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { EngineError, headerLength, readHeader, readSpec, type ModelSpec, type StoredTensor } from '../../lib/engine/index.ts';
import { createCodec, type Codec } from '../../lib/tokens.ts';

/** A model's folder, read as far as its headers: proven complete and of a supported family. */
export interface ModelFolder {
  folder: string;
  spec: ModelSpec;
  /** file names of the weights */
  weightFiles: string[];
  /** all files that make the model what it is */
  files: string[];
  bytes: number;
  hasTokenizer: boolean;
}

const INDEX = 'model.safetensors.index.json';

/** @throws EngineError naming the file, field or tensor that is missing or wrong */
export async function readModelFolder(folder: string): Promise<ModelFolder> {
  const config = parseJson(await readNeeded(folder, 'config.json'), 'config.json');
  const { weightFiles, index } = await findWeightFiles(folder);
  const tensors = new Map<string, StoredTensor>();
  let bytes = 0;
  for (const file of weightFiles) {
    const { table, size } = await readTensors(folder, file);
    bytes += size;
    for (const [name, tensor] of table) {
      if (tensors.has(name))
        throw new EngineError('bad-weights', `${file}: tensor ${JSON.stringify(name)}`, 'one place for each tensor', 'a second one');
      tensors.set(name, tensor);
    }
  }
  const spec = readSpec(config, tensors);
  const hasTokenizer = await exists(join(folder, 'tokenizer.json'));
  if (hasTokenizer) await readCodec(folder);
  const files = ['config.json', ...index, ...weightFiles, ...(hasTokenizer ? ['tokenizer.json'] : [])];
  return { folder, spec, weightFiles, files, bytes, hasTokenizer };
}

/** The model's tokenizer. @throws EngineError when the file is not one */
export async function readCodec(folder: string): Promise<Codec> {
  const tokenizer = parseJson(await readNeeded(folder, 'tokenizer.json'), 'tokenizer.json');
  try {
    return createCodec(tokenizer as object);
  } catch (cause) {
    throw new EngineError('bad-config', 'tokenizer.json', 'a Hugging Face tokenizer', (cause as Error).message, { cause });
  }
}

const hashes = new Map<string, Promise<string>>();

/**
 * sha256 over names, sizes and contents of the files that make the model. Computed anew when a file's size or
 * time of change differs from the last time.
 */
export async function hashModel({ folder, files }: Pick<ModelFolder, 'folder' | 'files'>): Promise<string> {
  const states = await Promise.all(files.toSorted().map((file) => stat(join(folder, file))));
  const key = [folder, ...states.map(({ size, mtimeMs, ino }) => `${size} ${mtimeMs} ${ino}`)].join('\0');
  const hash = hashes.get(key) ?? computeHash(folder, files);
  hashes.set(key, hash);
  hash.catch(() => hashes.delete(key));
  return hash;
}

async function computeHash(folder: string, files: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const file of files.toSorted()) {
    hash.update(`${file}\0${(await stat(join(folder, file))).size}\0`);
    for await (const chunk of createReadStream(join(folder, file))) hash.update(chunk as Buffer);
  }
  return hash.digest('hex');
}

async function findWeightFiles(folder: string): Promise<{ weightFiles: string[]; index: string[] }> {
  if (await exists(join(folder, 'model.safetensors'))) return { weightFiles: ['model.safetensors'], index: [] };
  if (!(await exists(join(folder, INDEX)))) {
    throw new EngineError('bad-weights', basename(folder), `model.safetensors or ${INDEX}`, 'neither');
  }
  const index = parseJson(await readNeeded(folder, INDEX), INDEX) as { weight_map?: unknown };
  const files = [...new Set(Object.values(index.weight_map ?? {}))];
  if (files.length === 0 || !files.every((file) => typeof file === 'string' && basename(file) === file)) {
    throw new EngineError(
      'bad-weights',
      `${INDEX}: weight_map`,
      'plain file names',
      JSON.stringify(index.weight_map)?.slice(0, 200) ?? 'nothing',
    );
  }
  return { weightFiles: (files as string[]).toSorted(), index: [INDEX] };
}

async function readTensors(folder: string, file: string) {
  const path = join(folder, file);
  if (!(await exists(path))) throw new EngineError('bad-weights', file, 'a safetensors file', 'no such file');
  const handle = await open(path);
  try {
    const { size } = await handle.stat();
    const prefix = new Uint8Array(8);
    await handle.read(prefix, 0, 8, 0);
    const length = headerLength(prefix, file, size);
    const header = new Uint8Array(length);
    await handle.read(header, 0, length, 8);
    return { table: readHeader(new TextDecoder().decode(header), file, size, length), size };
  } finally {
    await handle.close();
  }
}

async function readNeeded(folder: string, file: string): Promise<string> {
  try {
    return await readFile(join(folder, file), 'utf8');
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    throw new EngineError(
      'bad-config',
      join(basename(folder), file),
      'a readable file',
      missing ? 'no such file' : (cause as Error).message,
      { cause },
    );
  }
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new EngineError('bad-config', file, 'JSON', (cause as Error).message, { cause });
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
