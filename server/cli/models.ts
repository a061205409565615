import { stat } from 'node:fs/promises';
import { EngineError } from '../../lib/engine/index.ts';
import type { ModelSummary } from '../../lib/wire.ts';
import type { ImportProgress } from '../imports/progress.ts';
import { importModel, modelLimits } from '../model-import.ts';
import { listModels } from '../models.ts';
import { ROOT, fromCaller, needed, type Command, type Values } from './options.ts';
import { bytesOf, print, showProgress, untilInterrupted, write } from './output.ts';

export async function models({ home, values }: Command): Promise<void> {
  const known = await listModels(home);
  print(known, values, () => known.map(lineOf));
}

export async function importing({ home, words: [given], values }: Command): Promise<void> {
  const source = needed('import', given, 'a directory, or OWNER/NAME[@REVISION] of a hub');
  const folder = fromCaller(source);
  const isFolder = await stat(folder).then(
    (info) => info.isDirectory(),
    () => false,
  );
  const { isReference } = await import('../hub/reference.ts');
  const fetched = !isFolder && isReference(source);
  if (!fetched && values.revision !== undefined) throw new EngineError('bad-request', '--revision', 'only with OWNER/NAME', 'a directory');
  const model = fetched ? await fetchModel(home, source, values) : await copyModel(home, folder, values);
  print(model, values, () => [lineOf(model)]);
}

function copyModel(home: string, folder: string, { name }: Values): Promise<ModelSummary> {
  return untilInterrupted((signal) =>
    importModel(home, folder, name, modelLimits(process.env), { signal, onProgress: new ProgressLine().show }).catch((error: unknown) => {
      throw signal.aborted ? interrupted('nothing was imported') : error;
    }),
  );
}

async function fetchModel(home: string, source: string, values: Values): Promise<ModelSummary> {
  const [{ importFromHub }, { hubSettings }, { readConfig }, { parseReference }] = await Promise.all([
    import('../hub.ts'),
    import('../hub/settings.ts'),
    import('../config.ts'),
    import('../hub/reference.ts'),
  ]);
  const { repository, revision } = parseReference(source);
  if (revision !== null && values.revision !== undefined) {
    throw new EngineError('bad-request', '--revision', `none beside ${source}`, JSON.stringify(values.revision));
  }
  const settings = hubSettings(readConfig(process.env, ROOT), process.env);
  if (!values.json && process.stderr.isTTY) write(`from ${settings.endpoint}/${repository}`);
  return untilInterrupted((signal) =>
    importFromHub(home, {
      repository,
      revision: revision ?? values.revision ?? 'main',
      name: values.name ?? repository.split('/')[1]!,
      limits: modelLimits(process.env),
      settings,
      signal,
      onProgress: new ProgressLine().show,
    }).catch((error: unknown) => {
      throw signal.aborted ? interrupted('what came is kept: the same command goes on') : error;
    }),
  );
}

function interrupted(what: string): EngineError {
  return new EngineError('cancelled', 'import', 'to finish', `an interrupt (${what})`);
}

/** At most so often is a line written over, in milliseconds. */
const PAUSE = 100;
/** Before so much has passed there is nothing to judge by. */
const LEAST = 2000;

/** A line for who sits at a terminal: what is done, how much of it, and how long it still takes. */
class ProgressLine {
  #stage: ImportProgress['stage'] | null = null;
  #since = 0;
  #from = 0;
  #last = 0;

  readonly show = ({ stage, file, done, total }: ImportProgress): void => {
    const now = Date.now();
    if (stage !== this.#stage) [this.#stage, this.#since, this.#from] = [stage, now, done];
    else if (now - this.#last < PAUSE) return;
    this.#last = now;
    const verb = { fetch: 'fetching', copy: 'copying', check: 'checking' }[stage];
    const share = total === null || total === 0 ? '' : ` of ${bytesOf(total)} (${Math.floor((100 * done) / total)}%)`;
    showProgress(`${verb} ${file ?? 'the model'}: ${bytesOf(done)}${share}${this.#left(now, done, total)}`);
  };

  #left(now: number, done: number, total: number | null): string {
    const [passed, came] = [now - this.#since, done - this.#from];
    if (total === null || passed < LEAST || came <= 0 || done >= total) return '';
    const seconds = Math.max(1, Math.round(((total - done) / came) * (passed / 1000)));
    return `, about ${seconds < 90 ? `${seconds} s` : `${Math.round(seconds / 60)} min`} left`;
  }
}

function lineOf({ name, family, layers, heads, dModel, vocabulary, context, hash, builtIn }: ModelSummary): string {
  const size = `${layers} layers × ${heads} heads, width ${dModel}, ${vocabulary} tokens, context ${context}`;
  return `${name}  ${family}, ${size}, sha256 ${hash.slice(0, 12)}${builtIn ? ', built in' : ''}`;
}
