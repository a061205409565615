import { EngineError, isEngineError, type Control } from '../engine/index.ts';
import type { HostedModel } from '../hosted-model.ts';
import type { CallName, Calls, Device, FromWorker, ModelPlace, ToWorker, WireError } from './messages.ts';
import { loadModelFiles } from './model-files.ts';
import { OneModel } from './one-model.ts';
import { checkRoom, type Room } from './room.ts';
import { selfTest, type KnownNumbers } from './self-test.ts';
import { openWebModel } from './web-model.ts';
import type { Ort, WebProvider } from './web-runtime.ts';

/** The engine in a browser, off the page's thread. */

interface Started {
  ort: Ort;
  device: Device;
  room: Room;
}

const SELF_TESTS = ['lens-mlp', 'lens-gated'];
const SELF_TEST_FILES = ['config.json', 'model.safetensors'];
/** More threads than this gain little on graphs of this size. */
const MOST_THREADS = 4;

let starting: Promise<Started> | null = null;
const models = new OneModel<HostedModel>();
const aborts = new Map<number, AbortController>();

/** With WebGPU where there is one that computes known numbers right, else on the CPU; `provider` asks for one alone. */
async function start({ provider, selfTest: base, lost }: Calls['start']['argument']): Promise<Started> {
  if (provider === 'wasm') return startOn('wasm', base, lost ?? 'WASM was asked for');
  try {
    return await startOn('webgpu', base, null);
  } catch (error) {
    if (provider === 'webgpu') throw error;
    return startOn('wasm', base, error instanceof Error ? error.message : String(error));
  }
}

async function startOn(provider: WebProvider, base: string, why: string | null): Promise<Started> {
  const detail = provider === 'webgpu' ? await describeAdapter() : `${threads()} threads`;
  const ort: Ort = provider === 'webgpu' ? await import('onnxruntime-web/webgpu') : await import('onnxruntime-web/wasm');
  ort.env.wasm.numThreads = threads();
  let error = 0;
  for (const name of SELF_TESTS) {
    const files = await fetchFiles(`${base}/${name}`, SELF_TEST_FILES);
    const hosted = await openWebModel(ort, provider, { name, hash: '', files });
    const known = (await (await fetch(`${base}/${name}/numbers.json`)).json()) as KnownNumbers;
    error = Math.max(error, await selfTest(hosted.model, known));
    await hosted.model.close();
  }
  if (provider === 'webgpu') await watchDevice(ort);
  return { ort, device: { provider, detail, error, why }, room: await roomOf(ort, provider) };
}

async function roomOf(ort: Ort, provider: WebProvider): Promise<Room> {
  const { deviceMemory } = navigator as Navigator & { deviceMemory?: number };
  const gpu = provider === 'webgpu' ? ((await ort.env.webgpu.device) as unknown as { limits: Record<string, number> }) : null;
  const buffer = gpu && Math.min(gpu.limits['maxBufferSize'] ?? Infinity, gpu.limits['maxStorageBufferBindingSize'] ?? Infinity);
  return { provider, memory: deviceMemory === undefined ? null : deviceMemory * 1024 ** 3, buffer };
}

async function fetchFiles(base: string, names: readonly string[]): Promise<Map<string, Blob>> {
  const files = await Promise.all(
    names.map(async (name) => {
      const answer = await fetch(`${base}/${name}`);
      if (!answer.ok) throw new EngineError('runtime', `${base}/${name}`, 'a file of the self-test', `status ${answer.status}`);
      return [name, await answer.blob()] as const;
    }),
  );
  return new Map(files);
}

/** Without cross-origin isolation a browser gives no shared memory, and so one thread. */
function threads(): number {
  return globalThis.crossOriginIsolated ? Math.max(1, Math.min(MOST_THREADS, navigator.hardwareConcurrency - 1)) : 1;
}

interface Gpu {
  requestAdapter(): Promise<{ info?: { vendor?: string; architecture?: string } } | null>;
}

async function describeAdapter(): Promise<string> {
  const gpu = (navigator as Navigator & { gpu?: Gpu }).gpu;
  const adapter = await gpu?.requestAdapter();
  if (!adapter) throw new EngineError('runtime', 'WebGPU', 'an adapter', gpu ? 'none' : 'a browser without WebGPU');
  return [adapter.info?.vendor, adapter.info?.architecture].filter(Boolean).join(' ') || 'adapter without a name';
}

async function watchDevice(ort: Ort): Promise<void> {
  const device = (await ort.env.webgpu.device) as unknown as { lost?: Promise<{ message: string }> };
  void device.lost?.then(({ message }) => send({ type: 'lost', why: message || 'the device was lost' }));
}

async function withModel<Result>(
  place: ModelPlace,
  id: number,
  signal: AbortSignal,
  work: (hosted: HostedModel) => Result | Promise<Result>,
): Promise<Result> {
  if (!starting) throw new EngineError('runtime', 'engine', 'to be started first', place.name);
  const { ort, device, room } = await starting;
  const onProgress = (done: number, total: number, what: string) =>
    send({ type: 'progress', id, done, total, what: `bytes of the model ${what}` });
  const check = (bytes: number) => checkRoom(place.name, bytes, 0, room);
  const open = async () => {
    // Goes on when who asked first does not wait any more: others may.
    const files = await loadModelFiles(place, { signal: new AbortController().signal, onProgress, check });
    return openWebModel(ort, device.provider, { ...place, files }, room);
  };
  return models.use(`${place.name} ${place.hash}`, { open, signal }, work);
}

function controlOf(id: number, signal: AbortSignal): Control {
  return {
    progress: (done, total, what) => send({ type: 'progress', id, done, total, what }),
    async checkpoint() {
      await messagesTurn();
      if (signal.aborted) throw new EngineError('cancelled', 'analysis', 'to run to its end', 'a request to stop');
    },
  };
}

/** Lets messages in. Not by a timer: those of a tab in the background are slowed down. */
function messagesTurn(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.addEventListener('message', () => {
      port1.close();
      resolve();
    });
    port1.start();
    port2.postMessage(null);
  });
}

type Handlers = {
  [Name in CallName]: (argument: Calls[Name]['argument'], id: number, signal: AbortSignal) => Promise<Calls[Name]['result']>;
};

const handlers: Handlers = {
  async start(argument) {
    starting = start(argument);
    starting.catch(() => (starting = null));
    return (await starting).device;
  },
  analyze: ({ model, request }, id, signal) => withModel(model, id, signal, (hosted) => hosted.analyze(request, controlOf(id, signal))),
  tokenize: ({ model, text, special }, id, signal) => withModel(model, id, signal, (hosted) => hosted.tokenize(text, special)),
  searchTokens: ({ model, query, limit }, id, signal) => withModel(model, id, signal, (hosted) => hosted.searchTokens(query, limit)),
};

async function handle(id: number, name: CallName, argument: unknown): Promise<void> {
  const abort = new AbortController();
  aborts.set(id, abort);
  try {
    const handler = handlers[name] as (argument: unknown, id: number, signal: AbortSignal) => Promise<unknown>;
    send({ type: 'result', id, result: await handler(argument, id, abort.signal) });
  } catch (error) {
    const provider = (await starting?.catch(() => null))?.device.provider;
    if (provider === 'webgpu' && isOfRun(error)) send({ type: 'lost', why: error.got });
    else if (isEndOfMemory(error)) send({ type: 'broken', error: endOfMemory(error) });
    else send({ type: 'error', id, error: wireError(error) });
  } finally {
    aborts.delete(id);
  }
}

/** What failed inside onnxruntime. */
const isOfRun = (error: unknown): error is EngineError =>
  isEngineError(error) && error.code === 'runtime' && error.where.startsWith('graph ');

/** WebAssembly that cannot grow any more, or that has come to its end so: nothing else can be computed in it. */
function isEndOfMemory(error: unknown): error is Error {
  if (!(error instanceof Error) || (isEngineError(error) && !isOfRun(error))) return false;
  return /bad_alloc|out of memory|allocat|Aborted|unreachable|out of bounds/i.test(error.message);
}

function endOfMemory(error: Error): WireError {
  const where = isEngineError(error) ? error.where : 'analysis';
  const expected = 'memory enough in this tab (a smaller analysis, a shorter prompt, or the server)';
  return { kind: 'engine', code: 'runtime', where, expected, got: isEngineError(error) ? error.got : error.message };
}

function wireError(error: unknown): WireError {
  if (!isEngineError(error)) return { kind: 'other', message: error instanceof Error ? error.message : String(error) };
  const { code, where, expected, got } = error;
  return { kind: 'engine', code, where, expected, got };
}

function send(message: FromWorker): void {
  globalThis.postMessage(message);
}

globalThis.addEventListener('message', ({ data }: MessageEvent<ToWorker>) => {
  if (data.type === 'cancel') aborts.get(data.id)?.abort();
  else void handle(data.id, data.name, data.argument);
});
