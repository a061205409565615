import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isEngineError, readSpec } from '../lib/engine/index.ts';
import type { ModelSummary } from '../lib/wire.ts';
import { shardsOf, type FolderLimits } from './engine/model-folder.ts';
import { FILE_LIMITS } from './engine/plain-file.ts';
import { download, type Downloaded } from './hub/download.ts';
import type { HubSettings } from './hub/guarded-get.ts';
import { checkRepository, checkRevision } from './hub/reference.ts';
import type { ImportControl } from './imports/progress.ts';
import { releaseOwnLock, takeLock } from './lock.ts';
import { adoptModel, areFilesWrong } from './model-import.ts';
import { checkModelName, modelNames, originOfModel, summarise } from './models.ts';
import { Refusal } from './refusal.ts';

export interface HubImport extends ImportControl {
  /** OWNER/NAME */
  repository: string;
  /** a branch, a tag or a commit */
  revision: string;
  name: string;
  limits: FolderLimits;
  settings: HubSettings;
  pauseBetween?: number;
}

const CONFIG = 'config.json';
const WEIGHTS = 'model.safetensors';
const INDEX = 'model.safetensors.index.json';
const TOKENIZER = 'tokenizer.json';

/**
 * Imports a model from a Hugging Face hub: its config, safetensors and tokenizer.json alone. What has come stays
 * under PATHBOARD_HOME until the model is whole, so that a second attempt goes on where the first one stopped.
 */
export async function importFromHub(home: string, request: HubImport): Promise<ModelSummary> {
  const { repository, revision, name } = request;
  checkModelName(name);
  checkRepository(repository);
  checkRevision(revision, 'revision');
  const folder = folderOf(home, request);
  await mkdir(folder, { recursive: true });
  const release = takeLock(folder);
  try {
    const fetched = await new Fetch(home, folder, request).run();
    await rm(folder, { recursive: true, force: true });
    return fetched;
  } catch (error) {
    // A model that cannot be used, however often it is fetched.
    if (isEngineError(error) && areFilesWrong(error.code)) await rm(folder, { recursive: true, force: true });
    throw error;
  } finally {
    release();
  }
}

/** What is asked for: the same again goes on where this stopped. */
type Asked = Pick<HubImport, 'settings' | 'repository' | 'revision'>;

/** Bytes of it that came before, and are kept for the next import of it. */
export async function keptBytes(home: string, asked: Asked): Promise<number> {
  const folder = folderOf(home, asked);
  const sizes = await Promise.all(['model', 'parts'].map((part) => sizeOfFiles(join(folder, part))));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Forgets what came of it. @throws LockedError where it is being fetched */
export async function discardDownload(home: string, asked: Asked): Promise<void> {
  const folder = folderOf(home, asked);
  if (!(await stat(folder).catch(() => null))) return;
  const release = takeLock(folder);
  try {
    await rm(folder, { recursive: true, force: true });
  } finally {
    release();
  }
}

/** For when a thread of this process died that was fetching it. */
export function releaseDownload(home: string, asked: Asked): void {
  releaseOwnLock(folderOf(home, asked));
}

async function sizeOfFiles(folder: string): Promise<number> {
  // Beside each part lies a note of its tag.
  const names = (await readdir(folder).catch(() => [])).filter((name) => !name.endsWith('.part.json'));
  const sizes = names.map((name) =>
    stat(join(folder, name)).then(
      ({ size }) => size,
      () => 0,
    ),
  );
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

/** One for each thing that can be asked for, so that two imports never write into one file. */
function folderOf(home: string, { settings, repository, revision }: Asked): string {
  const asked = JSON.stringify([settings.endpoint, repository, revision]);
  return join(home, 'downloads', createHash('sha256').update(asked).digest('hex').slice(0, 32));
}

class Fetch {
  /** what is whole */
  private readonly model: string;
  private readonly parts: string;
  private revision: string;
  private left: number;
  /** bytes of files that are whole, and of all weights once they are known */
  private done = 0;
  private weights: number | null = null;

  constructor(
    private readonly home: string,
    private readonly folder: string,
    private readonly request: HubImport,
  ) {
    this.model = join(folder, 'model');
    this.parts = join(folder, 'parts');
    this.revision = request.revision;
    this.left = request.limits.bytes;
  }

  async run(): Promise<ModelSummary> {
    const { name, limits, signal, onProgress } = this.request;
    await mkdir(this.model, { recursive: true });
    await mkdir(this.parts, { recursive: true });
    const config = await this.get(CONFIG, FILE_LIMITS[CONFIG]);
    if (!config) throw this.nothing(CONFIG);
    const origin = this.originOf(config.commit);
    const there = await this.findImported(origin, config.commit);
    if (there) return there;
    // Before gigabytes are fetched in vain.
    checkFamily(await this.readJson(CONFIG));
    await this.keepTo(config.commit);
    await this.getWeights();
    await this.get(TOKENIZER, FILE_LIMITS[TOKENIZER]);
    return adoptModel(this.home, this.model, name, { limits, origin, signal, onProgress });
  }

  /** A branch may move while its files are fetched, or between two attempts; a commit does not. */
  private async keepTo(commit: string | null): Promise<void> {
    const note = join(this.folder, 'commit');
    const before = await readFile(note, 'utf8').catch(() => null);
    if (commit === null || before !== commit) {
      for (const file of await readdir(this.model)) if (file !== CONFIG) await rm(join(this.model, file));
    }
    if (commit === null) return;
    await writeFile(note, commit);
    this.revision = commit;
  }

  private async getWeights(): Promise<void> {
    if (await this.getWeight(WEIGHTS)) return;
    if (!(await this.get(INDEX, FILE_LIMITS[INDEX]))) throw this.nothing(`${WEIGHTS} or ${INDEX}`);
    const index = await this.readJson(INDEX);
    this.weights = totalOf(index);
    for (const file of shardsOf(index)) if (!(await this.getWeight(file))) throw this.nothing(file);
  }

  /** False where there is no such file. */
  private async getWeight(file: string): Promise<boolean> {
    const here = await stat(join(this.model, file)).catch(() => null);
    if (here) this.done += here.size;
    const size = here?.size ?? (await this.get(file, this.left))?.size;
    this.left -= size ?? 0;
    return size !== undefined;
  }

  private async get(file: string, limit: number): Promise<Downloaded | null> {
    const { repository, settings, signal, pauseBetween, onProgress } = this.request;
    const path = [...repository.split('/'), 'resolve', this.revision, file].map(encodeURIComponent).join('/');
    const found = await download(`${settings.endpoint.replace(/\/$/, '')}/${path}`, join(this.model, file), {
      settings,
      model: `${repository}@${this.request.revision}`,
      parts: this.parts,
      limit,
      signal,
      pauseBetween,
      onProgress: (stage, done, total) => {
        if (file === WEIGHTS) this.weights = total;
        // An index speaks of tensors; the files have headers, too.
        const all = this.weights === null ? null : Math.max(this.weights, this.done + done);
        if (stage === 'fetch') onProgress?.({ stage, file, done: this.done + done, total: all });
        else onProgress?.({ stage, file, done, total });
      },
    });
    this.done += found?.size ?? 0;
    return found;
  }

  private async findImported(origin: string, commit: string | null): Promise<ModelSummary | null> {
    const { name } = this.request;
    const located = (await modelNames(this.home)).get(name);
    if (!located) return null;
    if (commit !== null && (await originOfModel(this.home, name)) === origin) return summarise(name, located);
    throw new Refusal('bad-request', 'name', 'a name that no other model has (--name)', JSON.stringify(name));
  }

  private originOf(commit: string | null): string {
    const { settings, repository, revision } = this.request;
    return `${settings.endpoint}/${repository}@${commit ?? revision}`;
  }

  private async readJson(file: string): Promise<unknown> {
    try {
      return JSON.parse(await readFile(join(this.model, file), 'utf8'));
    } catch {
      throw new Refusal('unavailable', file, 'JSON', 'text that is not JSON');
    }
  }

  private nothing(file: string): Refusal {
    const { repository, revision, settings } = this.request;
    const got = 'no such file (formats that can hold a program are never fetched)';
    return new Refusal('not-found', `${settings.endpoint}/${repository} at ${revision}`, file, got);
  }
}

/** Bytes of all tensors, as an index says; null where it does not. */
function totalOf(index: unknown): number | null {
  const metadata: unknown = typeof index === 'object' && index !== null && 'metadata' in index ? index.metadata : null;
  const total: unknown = typeof metadata === 'object' && metadata !== null && 'total_size' in metadata ? metadata.total_size : null;
  return typeof total === 'number' && Number.isFinite(total) && total > 0 ? total : null;
}

function checkFamily(config: unknown): void {
  try {
    readSpec(config, new Map());
  } catch (error) {
    // Without weights nothing is whole. What matters is whether they are worth fetching.
    if (!isEngineError(error) || error.code !== 'bad-weights') throw error;
  }
}
