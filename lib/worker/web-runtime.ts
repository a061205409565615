import type * as OnnxRuntime from 'onnxruntime-web';
import type { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-web';
import { EngineError, type StoredTensor } from '../engine/index.ts';
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
 * WebGPU it lies in one buffer on the device, so that a run uploads its own feeds alone.
 */
export function createWebRuntime(ort: Ort, source: TensorSource, provider: WebProvider): Runtime {
  const tensors = new Map<string, Promise<OrtTensor>>();
  const read = (name: string, stored: StoredTensor): Promise<OrtTensor> => {
    const known = tensors.get(name);
    if (known) return known;
    const made = source.read(stored).then((data) => place(ort, data, stored.shape, provider));
    tensors.set(name, made);
    made.catch(() => tensors.delete(name));
    return made;
  };
  return {
    backend: { engine: 'onnxruntime-web', provider, dtype: 'float32' },
    async open({ name, bytes, weights }) {
      const session = await failing(name, 'a graph that onnxruntime accepts', () =>
        ort.InferenceSession.create(bytes, { executionProviders: [provider], logSeverityLevel: 3, graphOptimizationLevel: 'all' }),
      );
      const entries = [...weights].map(async ([input, stored]) => [input, await read(input, stored)] as const);
      return new WebSession(ort, name, session, Object.fromEntries(await Promise.all(entries)));
    },
  };
}

class WebSession implements Session {
  constructor(
    readonly ort: Ort,
    readonly name: string,
    readonly session: InferenceSession,
    readonly weights: Record<string, OrtTensor>,
  ) {}

  async run(feeds: Record<string, Tensor>, into: Record<string, FloatTensor> = {}): Promise<Record<string, FloatTensor>> {
    const { Tensor: Made } = this.ort;
    const inputs: Record<string, OrtTensor> = { ...this.weights };
    for (const [key, { data, dims }] of Object.entries(feeds)) {
      inputs[key] = data instanceof Int32Array ? new Made('int32', data, dims) : new Made('float32', data, dims);
    }
    const outputs = await failing(this.name, 'a run without failure', () => this.session.run(inputs));
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

  async close(): Promise<void> {
    await this.session.release();
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

async function failing<T>(name: string, expected: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new EngineError('runtime', `graph ${name}`, expected, message.slice(0, 500), { cause });
  }
}
