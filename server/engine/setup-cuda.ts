import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { copyFile, mkdir, mkdtemp, open, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { entriesOf, extract } from './unzip.ts';

/**
 * Puts onnxruntime's CUDA libraries where onnxruntime-node looks for them. The npm package is without them, since they are
 * too large for npm; onnxruntime publishes the same build on PyPI, whose index gives a sha256 for each archive.
 */

/** Of one version: the archive that holds the libraries, its sha256 and theirs. */
export interface Pinned {
  archive: { name: string; sha256: string };
  /** by their names beside onnxruntime-node */
  files: Record<string, string>;
}

export const PINNED: Record<string, Pinned> = {
  '1.30.0': {
    archive: {
      name: 'onnxruntime_gpu-1.30.0-cp311-cp311-manylinux_2_28_x86_64.whl',
      sha256: '4fbf0c5d7b5fb99266c2e8a802e3e64af68bdc383e0f3c7349b985f1087eedaa',
    },
    files: {
      'libonnxruntime_providers_shared.so': '086ec1d5388f64153d9c63470d126693db9a182c8ce236d3a1119068471b8a0d',
      'libonnxruntime_providers_cuda.so': '9d7587acb137b31bf84e4d32dc444b969bb601d098b01395effcacfe4341e364',
    },
  },
};

export interface Setup {
  /** of onnxruntime-node, which is installed */
  version: string;
  /** `linux/x64` */
  platform: string;
  /** where onnxruntime-node looks */
  target: string;
  pinned?: Record<string, Pinned>;
  /** a folder, or an archive (.whl, .nupkg), that holds the libraries; null: the index is asked */
  from: string | null;
  /** of a PyPI */
  index: string;
  tell(line: string): void;
}

const PACKAGE = 'onnxruntime-gpu';
const JSON_INDEX = 'application/vnd.pypi.simple.v1+json';

/** @throws Error in one line that says where, what was expected and what came; then nothing at the target has changed */
export async function setUpCuda({ version, platform, target, pinned = PINNED, from, index, tell }: Setup): Promise<void> {
  if (platform !== 'linux/x64') throw new Error(`platform: expected linux/x64, which onnxruntime-node has CUDA for, got ${platform}`);
  const pins = pinned[version];
  if (!pins) {
    throw new Error(`onnxruntime-node: expected ${Object.keys(pinned).join(' or ')}, whose libraries are known here, got ${version}`);
  }
  const work = await mkdtemp(join(tmpdir(), 'pathboard-cuda-'));
  try {
    const source = from ?? (await download(work, pins, index, tell));
    const found = await collect(source, Object.keys(pins.files), join(work, 'files'));
    for (const [name, wanted] of Object.entries(pins.files)) {
      const sha256 = await sha256Of(found[name]!);
      if (sha256 !== wanted) throw new Error(`${name}: expected that of onnxruntime ${version} (sha256 ${wanted}), got sha256 ${sha256}`);
    }
    for (const [name, path] of Object.entries(found)) {
      // Beside its place first: a library is whole there or absent.
      await copyFile(path, join(target, `${name}.part`));
      await rename(join(target, `${name}.part`), join(target, name));
      tell(`${join(target, name)}: sha256 as it should be`);
    }
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Paths of the libraries, taken out of an archive into `folder` or found where they lie. */
async function collect(source: string, names: string[], folder: string): Promise<Record<string, string>> {
  const info = await stat(source).catch(() => null);
  if (!info) throw new Error(`--from: expected a folder, a .whl or a .nupkg, got ${source}, which is not there`);
  if (info.isDirectory()) {
    for (const name of names) {
      if (!(await stat(join(source, name)).catch(() => null)))
        throw new Error(`${source}: expected ${names.join(' and ')}, got no ${name}`);
    }
    return Object.fromEntries(names.map((name) => [name, join(source, name)]));
  }
  await mkdir(folder);
  const archive = await open(source);
  try {
    const entries = await entriesOf(archive);
    const paths: Record<string, string> = {};
    for (const name of names) {
      const entry = entries.find((one) => one.name.endsWith(`/${name}`));
      if (!entry) throw new Error(`expected ${name} in the archive, got none`);
      paths[name] = join(folder, name);
      await extract(archive, entry, paths[name]);
    }
    return paths;
  } catch (cause) {
    throw new Error(`${source}: ${(cause as Error).message}`, { cause });
  } finally {
    await archive.close();
  }
}

async function download(work: string, { archive }: Pinned, index: string, tell: Setup['tell']): Promise<string> {
  const listed = `${index.replace(/\/$/, '')}/${PACKAGE}/`;
  const answer = await get(listed, { accept: JSON_INDEX });
  const { files } = (await answer.json().catch(() => ({ files: [] }))) as { files: { filename: string; url: string }[] };
  const file = files.find(({ filename }) => filename === archive.name);
  if (!file) throw new Error(`${listed}: expected ${archive.name}, got ${files.length} other files`);
  const url = new URL(file.url, listed).href;
  tell(`loading ${url}`);
  const path = join(work, archive.name);
  const body = (await get(url)).body;
  const handle = await open(path, 'w');
  await pipeline(Readable.fromWeb(body as Parameters<typeof Readable.fromWeb>[0]), handle.createWriteStream()).catch((cause: Error) => {
    throw new Error(`${url}: expected the whole archive, got ${cause.message}`, { cause });
  });
  const sha256 = await sha256Of(path);
  if (sha256 !== archive.sha256) throw new Error(`${url}: expected sha256 ${archive.sha256}, got ${sha256}`);
  return path;
}

async function get(url: string, headers: Record<string, string> = {}): Promise<Response> {
  const answer = await fetch(url, { headers }).catch((cause: Error) => {
    const why = cause.cause instanceof Error ? cause.cause.message : cause.message;
    throw new Error(
      `${url}: expected an answer, got none (${why}); without network: npm run setup:cuda -- --from PATH, a folder, .whl or .nupkg`,
      { cause },
    );
  });
  if (!answer.ok) throw new Error(`${url}: expected status 200, got ${answer.status}`);
  return answer;
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
