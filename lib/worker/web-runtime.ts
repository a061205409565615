import type * as OnnxRuntime from 'onnxruntime-web';
import type { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-web';
import { EngineError, type StoredTensor } from '../engine/index.ts';
import { GraphBuilder, type Graph } from '../engine/onnx.ts';
import type { FloatTensor, Runtime, Session, Tensor } from '../engine/runtime.ts';

/** onnxruntime-web as a module, in whichever build the caller loaded: the one with WebGPU, or WASM alone. */
export type Ort = Pick<typeof OnnxRuntime, 'InferenceSession' | 'Tensor' | 'env'>;

export type WebProvider = 'webgpu' | 'wasm';

/** Where a model's tensors come from, as float32. */
export interface TensorSource {
  /** @throws EngineError `bad-weights` where the stored bytes are not those that the header promises */
  read(stored: StoredTensor): Promise<Float32Array>;
}

interface Device {
  createBuffer(descriptor: { size: number; usage: number; mappedAtCreation: boolean }): MappedBuffer;
}

interface MappedBuffer {
  getMappedRange(): ArrayBuffer;
  unmap(): void;
  destroy(): void;
}

/** Of the WebGPU standard: COPY_SRC, COPY_DST and STORAGE. */
const BUFFER_USAGE = 0x04 | 0x08 | 0x80;
/** onnxruntime reads whole vectors. */
const ALIGNMENT = 16;

/**
 * onnxruntime in a browser, bound to one model's tensors. Each is read once and fed to every session that wants it; on
 * WebGPU it lies in one buffer on the device, so that a run uploads its own feeds alone. It goes with the last session
 * that takes it.
 */
export function createWebRuntime(ort: Ort, source: TensorSource, provider: WebProvider): Runtime {
  const weights = new SharedWeights(async (stored) => place(ort, await source.read(stored), stored.shape, provider));
  return {
    backend: { engine: 'onnxruntime-web', provider, dtype: 'float32' },
    async open(graph) {
      const { name, bytes } = graph;
      if (provider === 'webgpu') await keepDevice(ort);
      const session = await failing(ort, name, 'a graph that onnxruntime accepts', () =>
        ort.InferenceSession.create(bytes, { executionProviders: [provider], logSeverityLevel: 3, graphOptimizationLevel: 'all' }),
      );
      try {
        return new WebSession(ort, name, session, await weights.take(graph.weights), () => weights.giveBack(graph.weights));
      } catch (error) {
        await inTurn(ort, () => session.release());
        throw error;
      }
    },
  };
}

/** Sessions without a graph of a model, by the library that runs them. */
const keepers = new WeakMap<Ort, Promise<unknown>>();

/** onnxruntime destroys its device, and with it every buffer there, when the last session goes: one always stays. */
function keepDevice(ort: Ort): Promise<unknown> {
  const kept = keepers.get(ort);
  if (kept) return kept;
  const g = new GraphBuilder('keeper');
  g.output('y', g.input('x', 'float32', [1]), 'float32', [1]);
  const create = () => ort.InferenceSession.create(g.finish().bytes, { executionProviders: ['webgpu'], logSeverityLevel: 3 });
  const keeper = inTurn(ort, create);
  keepers.set(ort, keeper);
  keeper.catch(() => keepers.delete(ort));
  return keeper;
}

/** Tensors by name, each there as long as a session takes it. */
class SharedWeights {
  readonly #taken = new Map<string, { tensor: Promise<OrtTensor>; takers: number }>();

  constructor(readonly read: (stored: StoredTensor) => Promise<OrtTensor>) {}

  async take(wanted: Graph['weights']): Promise<Record<string, OrtTensor>> {
    const entries = [...wanted].map(([name, stored]) => {
      const entry = this.#taken.get(name) ?? { tensor: this.read(stored), takers: 0 };
      entry.takers++;
      this.#taken.set(name, entry);
      return [name, entry.tensor] as const;
    });
    // All of them, so that none arrives after the others were given back.
    const read = await Promise.allSettled(entries.map(([, tensor]) => tensor));
    const failed = read.find((one) => one.status === 'rejected');
    if (failed) {
      this.giveBack(wanted);
      throw failed.reason;
    }
    return Object.fromEntries(await Promise.all(entries.map(async ([name, tensor]) => [name, await tensor] as const)));
  }

  giveBack(wanted: Graph['weights']): void {
    for (const name of wanted.keys()) {
      const entry = this.#taken.get(name)!;
      entry.takers--;
      if (entry.takers > 0) continue;
      this.#taken.delete(name);
      entry.tensor.then(
        (tensor) => tensor.dispose(),
        () => {},
      );
    }
  }
}

class WebSession implements Session {
  #closed = false;

  constructor(
    readonly ort: Ort,
    readonly name: string,
    readonly session: InferenceSession,
    readonly weights: Record<string, OrtTensor>,
    readonly giveBack: () => void,
  ) {}

  async run(feeds: Record<string, Tensor>, into: Record<string, FloatTensor> = {}): Promise<Record<string, FloatTensor>> {
    if (this.#closed) throw closedError(this.name);
    const outputs = await failing(this.ort, this.name, 'a run without failure', async () => this.session.run(this.#inputs(feeds)));
    const named = await Promise.all(
      Object.entries(outputs).map(async ([name, output]) => {
        const data = (await output.getData(true)) as Float32Array;
        const place = into[name];
        if (!place) return [name, { data, dims: output.dims }] as const;
        place.data.set(data);
        return [name, place] as const;
      }),
    );
    return Object.fromEntries(named);
  }

  #inputs(feeds: Record<string, Tensor>): Record<string, OrtTensor> {
    const { Tensor: Made } = this.ort;
    const inputs: Record<string, OrtTensor> = { ...this.weights };
    for (const [key, { data, dims }] of Object.entries(feeds)) {
      inputs[key] = data instanceof Int32Array ? new Made('int32', data, dims) : new Made('float32', data, dims);
    }
    return inputs;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await inTurn(this.ort, () => this.session.release());
    this.giveBack();
  }
}

function place(ort: Ort, data: Float32Array, shape: readonly number[], provider: WebProvider): OrtTensor {
  if (provider === 'wasm') return new ort.Tensor('float32', data, shape);
  const device = ort.env.webgpu.device as unknown as Device;
  const size = Math.ceil(data.byteLength / ALIGNMENT) * ALIGNMENT;
  const buffer = device.createBuffer({ size, usage: BUFFER_USAGE, mappedAtCreation: true });
  new Float32Array(buffer.getMappedRange()).set(data);
  buffer.unmap();
  return ort.Tensor.fromGpuBuffer(buffer as unknown as Parameters<typeof ort.Tensor.fromGpuBuffer>[0], {
    dataType: 'float32',
    dims: shape,
    dispose: () => buffer.destroy(),
  });
}

function closedError(name: string): EngineError {
  return new EngineError('runtime', `graph ${name}`, 'a session that is open', 'one that was closed');
}

/** The call of each library that is under way, or was last. */
const calls = new WeakMap<Ort, Promise<unknown>>();

/** onnxruntime on WebGPU waits in the middle of a call; another one meanwhile never ends. So one follows the other. */
function inTurn<T>(ort: Ort, work: () => Promise<T>): Promise<T> {
  const result = (calls.get(ort) ?? Promise.resolve()).then(work);
  calls.set(
    ort,
    result.catch(() => {}),
  );
  return result;
}

async function failing<T>(ort: Ort, name: string, expected: string, work: () => Promise<T>): Promise<T> {
  try {
    return await inTurn(ort, work);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new EngineError('runtime', `graph ${name}`, expected, message.slice(0, 500), { cause });
  }
}
