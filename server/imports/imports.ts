import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { basename, isAbsolute, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream as NodeStream } from 'node:stream/web';
import type { Author } from '../../lib/board/records.ts';
import type { ModelImport, NewImport } from '../../lib/model-wire.ts';
import { RESERVE, checkSpace, isDiskFull, noSpace } from '../disk.ts';
import type { FolderLimits } from '../engine/model-folder.ts';
import { reportFault } from '../faults.ts';
import { discardDownload, keptBytes, releaseDownload } from '../hub.ts';
import type { HubSettings } from '../hub/guarded-get.ts';
import { log } from '../log.ts';
import { areFilesWrong, removeLeftovers } from '../model-import.ts';
import { checkModelName, deleteModel, modelNames } from '../models.ts';
import { Refusal } from '../refusal.ts';
import { checkUpload } from './upload.ts';
import { referenceOf } from './hub-page.ts';
import type { ImportProgress } from './progress.ts';
import { filesOf, readRecords, removeRecord, writeRecord, type ImportRecord } from './record.ts';
import { runTask, type ImportTask, type Outcome, type RunningTask } from './task.ts';

export interface ImportsOptions {
  home: string;
  settings: HubSettings;
  limits: FolderLimits;
  now: () => number;
}

/** Imports that run at a time; others wait. */
const MOST_RUNNING = 2;
/** Imports that are not done, the stopped ones included. */
const MOST = 50;
/** Milliseconds for which an import that is done stays listed. */
const REMEMBERED = 3_600_000;
/** Milliseconds without a byte after which an upload's browser counts as gone. */
const SILENCE = 60_000;
/** Milliseconds that an import has to stop in. */
const PATIENCE = 3000;

type Stage = ModelImport['stage'];

interface Job {
  record: ImportRecord;
  progress: { stage: Stage; file: string | null; done: number; total: number | null };
  task: RunningTask | null;
  /** resolves once the task has ended and what became of it is noted */
  followed: Promise<void>;
  /** epoch milliseconds; null until it is a model */
  doneAt: number | null;
  /** of an upload: bytes of each file that are here, when the last one came, and whether one is being written */
  here: Map<string, number>;
  heardAt: number;
  writing: boolean;
  /** changes of its record on the disk, one after the other */
  kept: Promise<void>;
}

/**
 * The imports of this server, from a hub, from a folder and from browsers. They go on whoever looks at them, keep what came when they are
 * stopped, and can go on after the server was. Nothing of a model is visible before all of it is there and proven.
 */
export class Imports {
  readonly #jobs = new Map<string, Job>();
  readonly #options: ImportsOptions;
  #closing = false;

  private constructor(options: ImportsOptions) {
    this.#options = options;
  }

  /** With what an earlier process left: all of it is stopped. */
  static async open(options: ImportsOptions): Promise<Imports> {
    const imports = new Imports(options);
    await removeLeftovers(options.home, { ownToo: true });
    for (const record of await readRecords(options.home)) {
      const state = record.state === 'failed' ? 'failed' : 'stopped';
      const job = jobOf({ ...record, state }, options.now());
      await imports.#measure(job);
      imports.#jobs.set(record.id, job);
    }
    return imports;
  }

  /** Newest first. */
  async list(): Promise<ModelImport[]> {
    const now = this.#options.now();
    for (const [id, job] of this.#jobs) if (job.doneAt !== null && now - job.doneAt > REMEMBERED) this.#jobs.delete(id);
    for (const job of this.#jobs.values()) if (isAbandoned(job, now)) await this.#settle(job, { type: 'stopped' });
    return Promise.all([...this.#jobs.values()].toReversed().map((job) => this.#present(job)));
  }

  async start(given: NewImport, by: Author): Promise<ModelImport> {
    if ([...this.#jobs.values()].filter(({ doneAt }) => doneAt === null).length >= MOST) {
      throw new Refusal('conflict', 'import', `at most ${MOST} imports that are not done`, 'one more: discard some');
    }
    const record = await this.#recordOf(given, by);
    const same = [...this.#jobs.values()].find((job) => job.doneAt === null && job.record.name === record.name);
    if (same) throw new Refusal('conflict', 'name', 'a name that no other import has', JSON.stringify(record.name));
    const job = jobOf(record, this.#options.now());
    this.#jobs.set(record.id, job);
    try {
      if (record.kind === 'upload') {
        await this.#checkRoom(job);
        await this.#prepare(job);
      }
      await this.#note(job, {});
    } catch (error) {
      // What was refused takes no name and no place.
      this.#jobs.delete(record.id);
      job.task?.stop();
      await this.#forget(job).catch(() => {});
      throw isDiskFull(error) ? noSpace(this.#options.home, error) : error;
    }
    this.#admit();
    return this.#present(job);
  }

  /** Keeps what came. Stopping what is stopped is done. */
  async stop(importId: string): Promise<ModelImport> {
    const job = this.#find(importId);
    // Before its own thread has stopped, which would let it start anew.
    if (job.record.state === 'waiting') await this.#note(job, { state: 'stopped', error: null });
    job.task?.stop();
    await Promise.race([job.followed, later(PATIENCE)]);
    const goesOn = job.record.state === 'waiting' || job.record.state === 'running';
    // It may have been done before it heard.
    if (goesOn && job.doneAt === null) await this.#settle(job, { type: 'stopped' });
    return this.#present(job);
  }

  /** Goes on where it stopped. */
  async resume(importId: string): Promise<ModelImport> {
    const job = this.#find(importId);
    // A thread that has ended, and of which it is not noted yet how.
    if (!job.task) await job.followed;
    if (job.doneAt !== null) throw new Refusal('conflict', 'import', 'one that is not done', 'one that is');
    if (job.record.state === 'waiting' || job.record.state === 'running') return this.#present(job);
    // A thread that takes its time to stop has the folder to itself; an upload that has one is whole.
    const receives = job.record.kind === 'upload' && !job.task;
    if (receives) await this.#checkRoom(job);
    job.heardAt = this.#options.now();
    await this.#note(job, { state: receives ? 'running' : 'waiting', error: null });
    if (receives) {
      await this.#prepare(job);
      this.#installIfWhole(job);
    }
    this.#admit();
    return this.#present(job);
  }

  /** Forgets it, and what came of it; of one that is done it forgets no more than that it was. */
  async discard(importId: string): Promise<void> {
    const job = this.#find(importId);
    await this.stop(importId);
    const { home, settings } = this.#options;
    const { kind, from, revision } = job.record;
    if (kind === 'hub' && job.doneAt === null && from !== null && revision !== null) {
      await discardDownload(home, { settings, repository: from, revision }).catch((error: unknown) => {
        // The command line may be at it.
        const isLocked = error instanceof Error && 'isLockedError' in error;
        throw isLocked ? new Refusal('conflict', 'import', 'one that nobody else goes on with', error.message) : error;
      });
    }
    this.#jobs.delete(importId);
    await this.#forget(job);
    log().info('import discarded', { import: importId });
  }

  /** Bytes of an uploaded file from its `at`th on. They go to the disk as they come. */
  async receive(importId: string, file: string, at: number, body: ReadableStream<Uint8Array> | null): Promise<ModelImport> {
    const job = this.#find(importId);
    const known = job.record.files.find(({ name }) => name === file);
    if (job.record.kind !== 'upload' || !known) throw new Refusal('not-found', 'file', 'one that the upload named', JSON.stringify(file));
    if (job.record.state !== 'running' || job.task) throw new Refusal('conflict', 'import', 'an upload that goes on', job.record.state);
    const here = job.here.get(file) ?? 0;
    if (job.writing || at !== here) {
      throw new Refusal(
        'conflict',
        file,
        `bytes from ${here} on, one piece after the other`,
        job.writing ? 'two at once' : `from ${at} on`,
      );
    }
    job.writing = true;
    try {
      await this.#write(job, file, known.bytes - here, body);
    } finally {
      job.writing = false;
      job.heardAt = this.#options.now();
      await this.#measure(job);
    }
    this.#installIfWhole(job);
    return this.#present(job);
  }

  /** Takes a model away that was imported; see {@link deleteModel}. */
  removeModel(name: string, hash: string): Promise<void> {
    return deleteModel(this.#options.home, name, hash);
  }

  /** Stops all of them; they can go on in the next process. */
  async close(): Promise<void> {
    this.#closing = true;
    const running = [...this.#jobs.values()].flatMap(({ task }) => task ?? []);
    for (const task of running) task.stop();
    await Promise.race([Promise.allSettled(running.map(({ outcome }) => outcome)), later(PATIENCE)]);
  }

  async #recordOf(given: NewImport, by: Author): Promise<ImportRecord> {
    const { home, limits, settings, now } = this.#options;
    const common = { id: randomUUID(), by: { id: by.id, name: by.name }, startedAt: now(), error: null, files: [], revision: null };
    if (given.kind === 'hub') {
      const { repository, revision } = referenceOf(given.from, settings.endpoint);
      const name = named(given.name ?? repository.split('/')[1]!);
      return { ...common, kind: 'hub', from: repository, revision: revision ?? 'main', name, state: 'waiting' };
    }
    if (given.kind === 'folder') {
      const info = isAbsolute(given.from) ? await stat(given.from).catch(() => null) : null;
      if (!info?.isDirectory()) {
        throw new Refusal('bad-request', 'folder', 'the whole path of a folder on the server', JSON.stringify(given.from.slice(0, 200)));
      }
      return { ...common, kind: 'folder', from: given.from, name: named(given.name ?? basename(given.from)), state: 'waiting' };
    }
    const name = named(given.name);
    if ((await modelNames(home)).has(name)) throw new Refusal('conflict', 'name', 'a name that no other model has', JSON.stringify(name));
    checkUpload(given.files, limits);
    return { ...common, kind: 'upload', from: null, name, files: given.files, state: 'running' };
  }

  /** Starts what may start, in the order in which it came. Uploads run as their bytes come, and wait for their turn once they are whole. */
  #admit(): void {
    const running = () => [...this.#jobs.values()].filter(({ task }) => task !== null).length;
    for (const job of this.#jobs.values()) {
      if (this.#closing || running() >= MOST_RUNNING) return;
      if (job.record.state === 'waiting' && job.task === null) this.#run(job, this.#taskOf(job.record));
    }
  }

  #taskOf({ kind, from, revision, name, id }: ImportRecord): ImportTask {
    const { home, limits, settings } = this.#options;
    const common = { home, name, limits };
    if (kind === 'hub') return { ...common, kind, repository: from ?? '', revision: revision ?? 'main', settings };
    if (kind === 'folder') return { ...common, kind, from: from ?? '' };
    return { ...common, kind, from: filesOf(home, id) };
  }

  #run(job: Job, task: ImportTask): void {
    job.record = { ...job.record, state: 'running' };
    job.progress = { stage: task.kind === 'hub' ? 'fetch' : task.kind === 'folder' ? 'copy' : 'check', file: null, done: 0, total: null };
    const running = runTask(task, (progress: ImportProgress) => (job.progress = progress));
    job.task = running;
    job.followed = this.#follow(job, running).catch((error: unknown) => reportFault('import', error));
  }

  async #follow(job: Job, running: RunningTask): Promise<void> {
    // Caught before anything is waited for: a thread may die at once.
    const ended = running.outcome.catch((error: unknown): Outcome => {
      reportFault('import', error);
      this.#releaseLock(job);
      return { type: 'failed', error: { code: 'internal', message: 'import: expected a model, got a fault that the server has logged' } };
    });
    await this.#note(job, {}).catch((error: unknown) => reportFault('import', error));
    const outcome = await ended;
    job.task = null;
    // A server that is stopping leaves its records as they are: the next one finds what was running.
    if (this.#closing) return;
    // One that took its time to stop, and is wanted again since, starts anew unless it is a model by now.
    const isWanted = job.record.state === 'waiting' && outcome.type !== 'done';
    try {
      if (!isWanted) await this.#settle(job, outcome);
    } finally {
      this.#admit();
    }
  }

  /** A thread that died has released nothing. Another one of ours may be at the same download, under another name. */
  #releaseLock({ record: { kind, from, revision } }: Job): void {
    if (kind !== 'hub' || from === null || revision === null) return;
    const { home, settings } = this.#options;
    const at = [...this.#jobs.values()].filter(({ task, record }) => task && record.from === from && record.revision === revision);
    if (at.length < 2) releaseDownload(home, { settings, repository: from, revision });
  }

  async #settle(job: Job, outcome: Outcome): Promise<void> {
    const { home, now } = this.#options;
    const { id, kind } = job.record;
    if (!this.#jobs.has(id)) return;
    log().info(`import ${outcome.type}`, { import: id, kind });
    if (outcome.type === 'done') {
      job.doneAt = now();
      await this.#forget(job);
      return;
    }
    // What was sent is no model.
    if (outcome.type === 'failed' && kind === 'upload' && areFilesWrong(outcome.error.code))
      await rm(filesOf(home, id), { recursive: true, force: true });
    await this.#measure(job);
    await this.#note(job, outcome.type === 'failed' ? { state: 'failed', error: outcome.error } : { state: 'stopped', error: null });
  }

  async #note(job: Job, change: Partial<ImportRecord>): Promise<void> {
    job.record = { ...job.record, ...change };
    const { record } = job;
    job.kept = job.kept.catch(() => {}).then(() => (this.#jobs.has(record.id) ? writeRecord(this.#options.home, record) : undefined));
    await job.kept;
  }

  async #forget(job: Job): Promise<void> {
    job.kept = job.kept.catch(() => {}).then(() => removeRecord(this.#options.home, job.record.id));
    await job.kept;
  }

  /** For all of this upload and of the others that may go on. One that failed has no claim before it is taken up again. */
  async #checkRoom(asking: Job): Promise<void> {
    const claims = [...this.#jobs.values()].filter((job) => job === asking || (job.doneAt === null && job.record.state !== 'failed'));
    const missing = claims.reduce((sum, job) => sum + missingOf(job), 0);
    await checkSpace(this.#options.home, missing + RESERVE);
  }

  async #prepare(job: Job): Promise<void> {
    const folder = filesOf(this.#options.home, job.record.id);
    await mkdir(folder, { recursive: true });
    for (const { name, bytes } of job.record.files) if (bytes === 0) await writeFile(join(folder, name), '');
    await this.#measure(job);
  }

  async #write(job: Job, file: string, most: number, body: ReadableStream<Uint8Array> | null): Promise<void> {
    const folder = filesOf(this.#options.home, job.record.id);
    const target = createWriteStream(join(folder, file), { flags: 'a' });
    const source = body ? Readable.fromWeb(body as NodeStream<Uint8Array>) : Readable.from([]);
    let came = 0;
    const counted = async function* (chunks: AsyncIterable<Uint8Array>) {
      for await (const chunk of chunks) {
        came += chunk.length;
        if (came > most) throw new Refusal('too-large', file, `at most ${most} bytes more`, 'more');
        yield chunk;
      }
    };
    await pipeline(source, counted, target).catch((error: unknown) => {
      if (isDiskFull(error)) throw noSpace(folder, error);
      throw error instanceof Refusal ? error : new Refusal('bad-request', file, 'all of it', 'a connection that broke off');
    });
  }

  async #measure(job: Job): Promise<void> {
    const { id, files, kind } = job.record;
    if (kind !== 'upload') return;
    const folder = filesOf(this.#options.home, id);
    for (const { name } of files) {
      const info = await stat(join(folder, name)).catch(() => null);
      job.here.set(name, info?.size ?? 0);
    }
    const current = files.find(({ name, bytes }) => (job.here.get(name) ?? 0) < bytes);
    if (!job.task) {
      const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
      job.progress = { stage: 'receive', file: current?.name ?? null, done: hereOf(job), total };
    }
  }

  #installIfWhole(job: Job): void {
    const { id, state, files } = job.record;
    // It may have been stopped, or discarded, while the last bytes came.
    if (job.task || state !== 'running' || !this.#jobs.has(id)) return;
    if (files.some(({ name, bytes }) => job.here.get(name) !== bytes)) return;
    job.record = { ...job.record, state: 'waiting' };
    this.#admit();
  }

  #find(importId: string): Job {
    const job = this.#jobs.get(importId);
    if (job) return job;
    throw new Refusal('not-found', 'import', 'one that is listed', importId);
  }

  async #present(job: Job): Promise<ModelImport> {
    const { id, kind, from, revision, name, by, startedAt, state, error, files } = job.record;
    const isLeft = state === 'stopped' || state === 'failed';
    return {
      id,
      kind,
      from: kind === 'hub' ? `${from}@${revision}` : from,
      name,
      by,
      startedAt,
      state: job.doneAt === null ? state : 'done',
      ...job.progress,
      kept: isLeft ? await this.#keptOf(job) : 0,
      error,
      files: files.map((file) => ({ ...file, here: job.here.get(file.name) ?? 0 })),
    };
  }

  async #keptOf(job: Job): Promise<number> {
    const { kind, from, revision } = job.record;
    if (kind === 'upload') return hereOf(job);
    if (kind === 'folder' || from === null || revision === null) return 0;
    return keptBytes(this.#options.home, { settings: this.#options.settings, repository: from, revision });
  }
}

function jobOf(record: ImportRecord, now: number): Job {
  const stage = { hub: 'fetch', folder: 'copy', upload: 'receive' } as const satisfies Record<ImportRecord['kind'], Stage>;
  const progress = { stage: stage[record.kind], file: null, done: 0, total: null };
  return {
    record,
    progress,
    task: null,
    followed: Promise.resolve(),
    doneAt: null,
    here: new Map(),
    heardAt: now,
    writing: false,
    kept: Promise.resolve(),
  };
}

function isAbandoned({ record, task, heardAt, writing }: Job, now: number): boolean {
  return record.kind === 'upload' && record.state === 'running' && task === null && !writing && now - heardAt > SILENCE;
}

function hereOf({ here }: Job): number {
  return [...here.values()].reduce((sum, bytes) => sum + bytes, 0);
}

/** Bytes of an upload that are yet to come. */
function missingOf({ record: { files }, here }: Job): number {
  return files.reduce((sum, { name, bytes }) => sum + bytes - (here.get(name) ?? 0), 0);
}

function named(name: string): string {
  checkModelName(name);
  return name;
}

function later(milliseconds: number): Promise<void> {
  return new Promise((done) => void setTimeout(done, milliseconds).unref());
}
