import { constants, setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { EngineError, Model, type AnalyzeRequest, type Control } from '../../lib/engine/index.ts';
import { HostedModel } from '../../lib/hosted-model.ts';
import { createDictionaryStore, dictionariesOfModel, filesOfDictionary } from '../dictionaries.ts';
import { wireError } from '../queue/wire-error.ts';
import { filesOfModel, listModels, openModelFolder } from '../models.ts';
import type { CallName, Calls, FromWorker, ToWorker, WorkerData } from './messages.ts';
import { readCodec } from './model-folder.ts';
import { chooseDevice, type ServerDevice } from './device.ts';
import { createNodeRuntime, type NodeRuntimeOptions } from './node-runtime.ts';

/** Runs models off the event loop of the server: one onnxruntime call blocks this thread, not that one. */

const { home, threads, inBackground, wanted } = workerData as WorkerData;
// On Linux a priority is a thread's own, and onnxruntime's threads inherit it; elsewhere it would be the server's, too.
if (inBackground && process.platform === 'linux') setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
const KEPT_MODELS = 3;

interface Loaded {
  hosted: HostedModel;
  /** analyses that run on the model now */
  users: number;
  /** no longer kept for later: to be closed with the last user */
  leaving: boolean;
}

let chosen: Promise<ServerDevice> | null = null;
/** Probed when first wanted: the worker for texts and folders never does. */
const device = () => (chosen ??= chooseDevice(wanted));

async function runtimeOptions(): Promise<NodeRuntimeOptions> {
  const { provider, precision, room } = await device();
  return { threads, provider, precision, ...(room !== null && { room }) };
}

const loaded = new Map<string, Promise<Loaded>>();
const cancelled = new Set<number>();

async function load(name: string): Promise<Loaded> {
  const found = await openModelFolder(home, name);
  const key = `${name} ${found.hash}`;
  const entry = loaded.get(key) ?? create(name, found);
  loaded.delete(key);
  loaded.set(key, entry);
  entry.catch(() => loaded.delete(key));
  while (loaded.size > KEPT_MODELS) {
    const [oldest, leaving] = loaded.entries().next().value!;
    loaded.delete(oldest);
    leaving.then(
      (model) => {
        model.leaving = true;
        closeUnused(model);
      },
      () => {},
    );
  }
  return entry;
}

function closeUnused({ hosted, users, leaving }: Loaded): void {
  if (leaving && users === 0) void hosted.model.close();
}

async function create(name: string, found: Awaited<ReturnType<typeof openModelFolder>>): Promise<Loaded> {
  const dictionaries = createDictionaryStore(home, { name, hash: found.hash, spec: found.spec }, { threads });
  const model = new Model(name, found.hash, found.spec, createNodeRuntime(found.folder, await runtimeOptions()), dictionaries);
  const codec = found.hasTokenizer ? await readCodec(found.folder) : null;
  return { hosted: new HostedModel(model, codec), users: 0, leaving: false };
}

async function answer(request: AnalyzeRequest, control: Control) {
  const entry = await load(request.model);
  entry.users += 1;
  try {
    return await entry.hosted.analyze(request, control);
  } finally {
    entry.users -= 1;
    closeUnused(entry);
  }
}

async function tokenize({ model, text, special }: Calls['tokenize']['argument']): Promise<Calls['tokenize']['result']> {
  return (await load(model)).hosted.tokenize(text, special);
}

async function searchTokens({ model, query, limit }: Calls['searchTokens']['argument']): Promise<Calls['searchTokens']['result']> {
  return (await load(model)).hosted.searchTokens(query, limit);
}

function controlOf(id: number): Control {
  return {
    progress: (done, total, what) => send({ type: 'progress', id, done, total, what }),
    async checkpoint() {
      await new Promise((resolve) => setImmediate(resolve));
      if (cancelled.has(id)) throw new EngineError('cancelled', 'analysis', 'to run to its end', 'a request to stop');
    },
  };
}

const handlers: { [Name in CallName]: (argument: Calls[Name]['argument'], control: Control) => Promise<Calls[Name]['result']> } = {
  analyze: answer,
  tokenize,
  searchTokens,
  device,
  listModels: () => listModels(home),
  filesOf: ({ hash }) => filesOfModel(home, hash),
  dictionaries: ({ model }) => dictionariesOfModel(home, model),
  dictionaryFiles: ({ hash }) => filesOfDictionary(home, hash),
};

async function handle(id: number, name: CallName, argument: unknown): Promise<void> {
  try {
    const handler = handlers[name] as (argument: unknown, control: Control) => Promise<unknown>;
    send({ type: 'result', id, result: await handler(argument, controlOf(id)) });
  } catch (error) {
    send({ type: 'error', id, error: wireError(error) });
  } finally {
    cancelled.delete(id);
  }
}

function send(message: FromWorker): void {
  parentPort!.postMessage(message);
}

parentPort!.on('message', (message: ToWorker) => {
  if (message.type === 'cancel') cancelled.add(message.id);
  else void handle(message.id, message.name, message.argument);
});
