import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readFile, readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import {
  EngineError,
  headerLength,
  readHeader,
  readSpec,
  type ModelSpec,
  type StoredTensor,
  type TensorTable,
} from '../../lib/engine/index.ts';
import { createCodec, type Codec } from '../../lib/tokens.ts';
import { FILE_LIMITS, findPlainFile, isPlainName, type PlainFile } from './plain-file.ts';

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
const WEIGHT_FILE = /\.safetensors$/;
/** Formats that can hold a program which runs when they are read. They are never opened. */
export const PICKLES = /\.(?:bin|pt|pth|pkl|pickle|ckpt|joblib|npy|npz|h5|msgpack)$/i;
const MOST_FILES = 1000;
/** Bytes that are hashed at a time. */
const CHUNK = 1 << 20;

export interface FolderLimits {
  /** of all weights, in bytes */
  bytes: number;
}

/** @throws EngineError naming the file, field or tensor that is missing or wrong */
export async function readModelFolder(folder: string, limits: FolderLimits = { bytes: Infinity }): Promise<ModelFolder> {
  const config = parseJson(await readNeeded(folder, 'config.json'), 'config.json');
  const { weightFiles, index } = await findWeightFiles(folder);
  await checkSizes(folder, weightFiles, limits);
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
  const hasTokenizer = (await findPlainFile(folder, 'tokenizer.json', FILE_LIMITS['tokenizer.json'])) !== null;
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
 * time of change differs from the last time. Whoever watches may stop it by throwing.
 */
export async function hashModel({ folder, files }: Pick<ModelFolder, 'folder' | 'files'>, watch: Watch = {}): Promise<string> {
  const states = await Promise.all(files.toSorted().map((file) => stat(join(folder, file))));
  const key = [folder, ...states.map(({ size, mtimeMs, ino }) => `${size} ${mtimeMs} ${ino}`)].join('\0');
  const hash = hashes.get(key) ?? computeHash(folder, files, watch);
  hashes.set(key, hash);
  hash.catch(() => hashes.delete(key));
  return hash;
}

/** Told of every piece that was read: its file, and its bytes. */
export interface Watch {
  onBytes?: (file: string, bytes: number) => void;
}

async function computeHash(folder: string, files: readonly string[], { onBytes }: Watch): Promise<string> {
  const hash = createHash('sha256');
  for (const file of files.toSorted()) {
    hash.update(`${file}\0${(await stat(join(folder, file))).size}\0`);
    for await (const chunk of createReadStream(join(folder, file), { highWaterMark: CHUNK })) {
      hash.update(chunk as Buffer);
      onBytes?.(file, (chunk as Buffer).length);
    }
  }
  return hash.digest('hex');
}

async function findWeightFiles(folder: string): Promise<{ weightFiles: string[]; index: string[] }> {
  if (await findPlainFile(folder, 'model.safetensors')) return { weightFiles: ['model.safetensors'], index: [] };
  if (!(await findPlainFile(folder, INDEX, FILE_LIMITS[INDEX]))) throw noWeights(folder, await readdir(folder));
  const weightFiles = shardsOf(parseJson(await readNeeded(folder, INDEX), INDEX));
  return { weightFiles, index: [INDEX] };
}

/** The files that an index names. @throws EngineError where one is anything but the plain name of a safetensors file */
export function shardsOf(index: unknown): string[] {
  const map: unknown = typeof index === 'object' && index !== null && 'weight_map' in index ? index.weight_map : undefined;
  const files: unknown[] = typeof map === 'object' && map !== null ? [...new Set(Object.values(map))] : [];
  const where = `${INDEX}: weight_map`;
  const wrong = files.find((file) => typeof file !== 'string' || !isPlainName(file) || !WEIGHT_FILE.test(file));
  if (files.length === 0 || wrong !== undefined) {
    const got = JSON.stringify(files.length === 0 ? map : wrong) ?? 'nothing';
    throw new EngineError('bad-weights', where, 'plain names of safetensors files', got.slice(0, 200));
  }
  if (files.length > MOST_FILES) throw new EngineError('bad-weights', where, `at most ${MOST_FILES} files`, `${files.length}`);
  return (files as string[]).toSorted();
}

function noWeights(folder: string, found: string[]): EngineError {
  const pickle = found.find((file) => PICKLES.test(file));
  const got = pickle ? `${JSON.stringify(pickle)}, which is not opened: it could hold a program` : 'neither';
  return new EngineError('bad-weights', basename(folder), `model.safetensors or ${INDEX}`, got);
}

async function checkSizes(folder: string, files: readonly string[], { bytes }: FolderLimits): Promise<void> {
  let total = 0;
  for (const file of files) total += (await neededFile(folder, file)).size;
  if (total > bytes) throw new EngineError('bad-weights', basename(folder), `at most ${bytes} bytes of weights`, `${total}`);
}

/** Every tensor of a file by its name, read as far as the header. */
export async function readTensors(folder: string, file: string): Promise<{ table: TensorTable; size: number }> {
  const handle = await open((await neededFile(folder, file)).path);
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

async function neededFile(folder: string, file: string): Promise<PlainFile> {
  const found = await findPlainFile(folder, file);
  if (found) return found;
  throw new EngineError('bad-weights', file, 'a safetensors file', 'no such file');
}

export async function readNeeded(folder: string, file: keyof typeof FILE_LIMITS): Promise<string> {
  const where = join(basename(folder), file);
  const found = await findPlainFile(folder, file, FILE_LIMITS[file]);
  if (!found) throw new EngineError('bad-config', where, 'a readable file', 'no such file');
  return readFile(found.path, 'utf8').catch((cause: Error) => {
    throw new EngineError('bad-config', where, 'a readable file', cause.message, { cause });
  });
}

export function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new EngineError('bad-config', file, 'JSON', (cause as Error).message, { cause });
  }
}
