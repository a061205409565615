import { stat } from 'node:fs/promises';
import { EngineError } from '../../lib/engine/index.ts';
import type { ModelSummary } from '../../lib/wire.ts';
import { importModel, modelLimits } from '../model-import.ts';
import { listModels } from '../models.ts';
import { ROOT, fromCaller, needed, type Command, type Values } from './options.ts';
import { bytesOf, print, showProgress, untilInterrupted, write } from './output.ts';

export async function models({ home, values }: Command): Promise<void> {
  const known = await listModels(home);
  print(known, values, () => known.map(lineOf));
}

export async function importing({ home, words: [given], values }: Command): Promise<void> {
  const source = needed('import', given, 'a directory, or ORG/NAME of a hub');
  const folder = fromCaller(source);
  const isFolder = await stat(folder).then(
    (info) => info.isDirectory(),
    () => false,
  );
  const { isRepository } = await import('../hub.ts');
  const fetched = !isFolder && isRepository(source);
  if (!fetched && values.revision !== undefined) throw new EngineError('bad-request', '--revision', 'only with ORG/NAME', 'a directory');
  const model = fetched ? await fetchModel(home, source, values) : await importModel(home, folder, values.name, modelLimits(process.env));
  print(model, values, () => [lineOf(model)]);
}

async function fetchModel(home: string, repository: string, values: Values): Promise<ModelSummary> {
  const [{ importFromHub }, { DEFAULT_ENDPOINT, DEFAULT_HOSTS }, { readConfig }] = await Promise.all([
    import('../hub.ts'),
    import('../hub/guarded-get.ts'),
    import('../config.ts'),
  ]);
  const { modelEndpoint, modelHosts } = readConfig(process.env, ROOT);
  const named = process.env['MODEL_HOSTS'] ? modelHosts : [];
  const hosts = named.length === 0 && modelEndpoint === DEFAULT_ENDPOINT ? DEFAULT_HOSTS : named;
  if (!values.json && process.stderr.isTTY) write(`from ${modelEndpoint}/${repository}`);
  return untilInterrupted((signal) =>
    importFromHub(home, {
      repository,
      revision: values.revision ?? 'main',
      name: values.name ?? repository.split('/')[1]!,
      limits: modelLimits(process.env),
      settings: { endpoint: modelEndpoint, hosts, token: process.env['HF_TOKEN'] },
      signal,
      onProgress: (file, done, total) => showProgress(`${file} ${bytesOf(done)}${total === null ? '' : ` of ${bytesOf(total)}`}`),
    }),
  );
}

function lineOf({ name, family, layers, heads, dModel, vocabulary, context, hash, builtIn }: ModelSummary): string {
  const size = `${layers} layers × ${heads} heads, width ${dModel}, ${vocabulary} tokens, context ${context}`;
  return `${name}  ${family}, ${size}, sha256 ${hash.slice(0, 12)}${builtIn ? ', built in' : ''}`;
}
