import { constants, setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import {
  EngineError,
  Model,
  analyze,
  isEngineError,
  resolveRequest,
  withTexts,
  type AnalyzeRequest,
  type Control,
} from '../../lib/engine/index.ts';
import type { Codec } from '../../lib/tokens.ts';
import type { TokenText } from '../../lib/wire.ts';
import { filesOfModel, listModels, openModelFolder } from '../models.ts';
import type { CallName, Calls, FromWorker, ToWorker, WireError, WorkerData } from './messages.ts';
import { readCodec } from './model-folder.ts';
import { createNodeRuntime } from './node-runtime.ts';

/** Runs models off the event loop of the server: one onnxruntime call blocks this thread, not that one. */

const { home, threads, inBackground } = workerData as WorkerData;
// On Linux a priority is a thread's own, and onnxruntime's threads inherit it; elsewhere it would be the server's, too.
if (inBackground && process.platform === 'linux') setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
const KEPT_MODELS = 3;
const TEXT_LIMIT = 200_000;

interface Loaded {
  model: Model;
  codec: Codec | null;
  vocabularyTexts: string[] | null;
  /** analyses that run on the model now */
  users: number;
  /** no longer kept for later: to be closed with the last user */
  leaving: boolean;
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

function closeUnused({ model, users, leaving }: Loaded): void {
  if (leaving && users === 0) void model.close();
}

async function create(name: string, found: Awaited<ReturnType<typeof openModelFolder>>): Promise<Loaded> {
  const model = new Model(name, found.hash, found.spec, createNodeRuntime(found.folder, { threads }));
  return { model, codec: found.hasTokenizer ? await readCodec(found.folder) : null, vocabularyTexts: null, users: 0, leaving: false };
}

async function answer(request: AnalyzeRequest, control: Control) {
  const entry = await load(request.model);
  entry.users += 1;
  try {
    return await answerOn(entry, request, control);
  } finally {
    entry.users -= 1;
    closeUnused(entry);
  }
}

async function answerOn({ model, codec }: Loaded, request: AnalyzeRequest, control: Control) {
  const limit = Math.max(10_000, model.spec.context * 64);
  for (const [where, text] of textsOf(request)) {
    if (text.length <= limit) continue;
    throw new EngineError('bad-tokens', where, `at most ${model.spec.context} tokens, the model's context`, `${text.length} characters`);
  }
  const resolved = resolveRequest(request, codec, model.spec.vocabulary);
  return withTexts(await analyze(model, resolved, control), codec);
}

/** Every prompt of a request that is text, by what errors call it. */
function textsOf({ prompt, counterfactual, prompts, referencePrompts }: AnalyzeRequest): [string, string][] {
  const given: [string, string | number[] | undefined][] = [
    ['prompt', prompt],
    ['counterfactual', counterfactual],
  ];
  for (const [field, set] of Object.entries({ prompts, 'reference prompts': referencePrompts })) {
    if (!set || 'generator' in set) continue;
    set.examples.forEach((example, index) => {
      given.push([`${field} example ${index + 1}: clean`, example.clean]);
      given.push([`${field} example ${index + 1}: counterfactual`, example.counterfactual]);
    });
  }
  return given.filter((entry): entry is [string, string] => typeof entry[1] === 'string');
}

async function codecOf(name: string): Promise<Codec> {
  const { codec } = await load(name);
  if (!codec) throw new EngineError('bad-request', 'text', 'token ids, since this model has no tokenizer.json', 'text');
  return codec;
}

async function tokenize({ model, text, special }: Calls['tokenize']['argument']): Promise<TokenText[]> {
  if (text.length > TEXT_LIMIT) throw new EngineError('bad-request', 'text', `at most ${TEXT_LIMIT} characters`, `${text.length}`);
  const codec = await codecOf(model);
  return codec.encode(text, special).map((id) => ({ id, text: codec.text(id) }));
}

/** Exact text first, then text that starts with the query, then text that contains it; digits also find the id. */
async function searchTokens({ model, query, limit }: Calls['searchTokens']['argument']): Promise<TokenText[]> {
  const codec = await codecOf(model);
  const entry = await load(model);
  const { vocabulary } = entry.model.spec;
  const texts = (entry.vocabularyTexts ??= Array.from({ length: vocabulary }, (_, id) => (id < codec.size ? codec.text(id) : '')));
  const wanted = query.toLowerCase();
  const rank = (text: string, id: number) => {
    const plain = text.toLowerCase();
    if (text === query || String(id) === query) return 0;
    if (plain.trim() === wanted.trim()) return 1;
    if (plain.trimStart().startsWith(wanted.trimStart())) return 2;
    return plain.includes(wanted) ? 3 : null;
  };
  const hits = texts.flatMap((text, id) => {
    const order = rank(text, id);
    return order === null ? [] : [{ id, text, order }];
  });
  hits.sort((a, b) => a.order - b.order || a.text.length - b.text.length || a.id - b.id);
  return hits.slice(0, limit).map(({ id, text }) => ({ id, text }));
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
  listModels: () => listModels(home),
  filesOf: ({ hash }) => filesOfModel(home, hash),
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

function wireError(error: unknown): WireError {
  if (isEngineError(error)) {
    const { code, where, expected, got } = error;
    return { kind: 'engine', code, where, expected, got };
  }
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  return { kind: 'other', message, stack };
}

function send(message: FromWorker): void {
  parentPort!.postMessage(message);
}

parentPort!.on('message', (message: ToWorker) => {
  if (message.type === 'cancel') cancelled.add(message.id);
  else void handle(message.id, message.name, message.argument);
});
