import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isEngineError, readSpec } from '../lib/engine/index.ts';
import type { ModelSummary } from '../lib/wire.ts';
import { shardsOf, type FolderLimits } from './engine/model-folder.ts';
import { FILE_LIMITS } from './engine/plain-file.ts';
import { download, type Downloaded } from './hub/download.ts';
import type { HubSettings } from './hub/guarded-get.ts';
import { takeLock } from './lock.ts';
import { adoptModel } from './model-import.ts';
import { checkModelName, modelNames, originOfModel, summarise } from './models.ts';
import { Refusal } from './refusal.ts';

export interface HubImport {
  /** ORG/NAME */
  repository: string;
  /** a branch, a tag or a commit */
  revision: string;
  name: string;
  limits: FolderLimits;
  settings: HubSettings;
  signal?: AbortSignal;
  onProgress?: (file: string, done: number, total: number | null) => void;
  pauseBetween?: number;
}

const REPOSITORY = /^[A-Za-z0-9][A-Za-z0-9._-]{0,95}\/[A-Za-z0-9][A-Za-z0-9._-]{0,95}$/;
const REVISION = /^[A-Za-z0-9][A-Za-z0-9._/-]{0,199}$/;
const CONFIG = 'config.json';
const WEIGHTS = 'model.safetensors';
const INDEX = 'model.safetensors.index.json';
const TOKENIZER = 'tokenizer.json';

export function isRepository(text: string): boolean {
  return REPOSITORY.test(text);
}

/**
 * Imports a model from a Hugging Face hub: its config, safetensors and tokenizer.json alone. What has come stays
 * under PATHBOARD_HOME until the model is whole, so that a second attempt goes on where the first one stopped.
 */
export async function importFromHub(home: string, request: HubImport): Promise<ModelSummary> {
  const { repository, revision, name } = request;
  checkModelName(name);
  if (!isRepository(repository)) throw new Refusal('bad-request', 'import', 'ORG/NAME', JSON.stringify(repository));
  if (!REVISION.test(revision) || revision.includes('..')) {
    throw new Refusal('bad-request', '--revision', 'a branch, a tag or a commit', JSON.stringify(revision));
  }
  const folder = folderOf(home, request);
  await mkdir(folder, { recursive: true });
  const release = takeLock(folder);
  try {
    const fetched = await new Fetch(home, folder, request).run();
    await rm(folder, { recursive: true, force: true });
    return fetched;
  } catch (error) {
    // A model that cannot be used, however often it is fetched.
    if (isEngineError(error)) await rm(folder, { recursive: true, force: true });
    throw error;
  } finally {
    release();
  }
}

/** One for each thing that can be asked for, so that two imports never write into one file. */
function folderOf(home: string, { settings, repository, revision }: HubImport): string {
  const asked = JSON.stringify([settings.endpoint, repository, revision]);
  return join(home, 'downloads', createHash('sha256').update(asked).digest('hex').slice(0, 32));
}

class Fetch {
  /** what is whole */
  private readonly model: string;
  private readonly parts: string;
  private revision: string;
  private left: number;

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
    const { name, limits } = this.request;
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
    return adoptModel(this.home, this.model, name, { limits, origin });
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
    for (const file of shardsOf(await this.readJson(INDEX))) if (!(await this.getWeight(file))) throw this.nothing(file);
  }

  /** False where there is no such file. */
  private async getWeight(file: string): Promise<boolean> {
    const here = await stat(join(this.model, file)).catch(() => null);
    const size = here?.size ?? (await this.get(file, this.left))?.size;
    this.left -= size ?? 0;
    return size !== undefined;
  }

  private get(file: string, limit: number): Promise<Downloaded | null> {
    const { repository, settings, signal, pauseBetween, onProgress } = this.request;
    const path = [...repository.split('/'), 'resolve', this.revision, file].map(encodeURIComponent).join('/');
    return download(`${settings.endpoint.replace(/\/$/, '')}/${path}`, join(this.model, file), {
      settings,
      parts: this.parts,
      limit,
      signal,
      pauseBetween,
      onProgress: (done, total) => onProgress?.(file, done, total),
    });
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

function checkFamily(config: unknown): void {
  try {
    readSpec(config, new Map());
  } catch (error) {
    // Without weights nothing is whole. What matters is whether they are worth fetching.
    if (!isEngineError(error) || error.code !== 'bad-weights') throw error;
  }
}
