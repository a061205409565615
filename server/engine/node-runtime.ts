import * as ort from 'onnxruntime-node';
import { EngineError } from '../../lib/engine/index.ts';
import type { FloatTensor, Runtime, Session, Tensor } from '../../lib/engine/runtime.ts';
import { WeightFiles } from './weight-files.ts';

export interface NodeRuntimeOptions {
  /** threads inside one operator; workers × threads must not exceed the cores */
  threads: number;
}

/**
 * onnxruntime-node on the CPU, bound to the folder that holds a model's weights. Each tensor is read once and fed to
 * every session that wants it. Each session has threads of its own; spinning while idle, those of many sessions would
 * take the cores from each other.
 */
export function createNodeRuntime(folder: string, { threads }: NodeRuntimeOptions): Runtime {
  const tensors = new WeightFiles(folder);
  return {
    backend: { engine: 'onnxruntime-node', provider: 'cpu', dtype: 'float32' },
    async open({ name, bytes, weights }) {
      const session = await failing(name, 'a graph that onnxruntime accepts', () =>
        ort.InferenceSession.create(bytes, {
          executionProviders: ['cpu'],
          intraOpNumThreads: threads,
          interOpNumThreads: 1,
          enableCpuMemArena: false,
          logSeverityLevel: 3,
          extra: { session: { 'intra_op.allow_spinning': '0' } },
        }),
      );
      const entries = [...weights].map(async ([input, stored]) => [input, await tensors.read(input, stored)] as const);
      return new NodeSession(name, session, Object.fromEntries(await Promise.all(entries)));
    },
  };
}

class NodeSession implements Session {
  constructor(
    readonly name: string,
    readonly session: ort.InferenceSession,
    readonly weights: Record<string, ort.Tensor>,
  ) {}

  async run(feeds: Record<string, Tensor>, into: Record<string, FloatTensor> = {}): Promise<Record<string, FloatTensor>> {
    const inputs: Record<string, ort.Tensor> = { ...this.weights };
    for (const [key, { data, dims }] of Object.entries(feeds)) {
      inputs[key] = data instanceof Int32Array ? new ort.Tensor('int32', data, dims) : new ort.Tensor('float32', data, dims);
    }
    const wanted: Record<string, ort.Tensor | null> = {};
    for (const name of this.session.outputNames) {
      const place = into[name];
      wanted[name] = place ? new ort.Tensor('float32', place.data, place.dims) : null;
    }
    const outputs = await failing(this.name, 'a run without failure', () => this.session.run(inputs, wanted));
    const read = ([name, { data, dims }]: [string, ort.Tensor]) => [name, into[name] ?? { data: data as Float32Array, dims }] as const;
    return Object.fromEntries(Object.entries(outputs).map(read));
  }

  async close(): Promise<void> {
    await this.session.release();
  }
}

async function failing<T>(name: string, expected: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new EngineError('runtime', `graph ${name}`, expected, message.slice(0, 500), { cause });
  }
}
