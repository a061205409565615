import * as ort from 'onnxruntime-node';
import { EngineError } from '../../lib/engine/index.ts';
import type { FloatTensor, Runtime, Session, Tensor } from '../../lib/engine/runtime.ts';
import type { Graph } from '../../lib/engine/onnx.ts';
import { WeightFiles, checkStored } from './weight-files.ts';

export interface NodeRuntimeOptions {
  /** threads inside one operator; workers × threads must not exceed the cores */
  threads: number;
  provider?: NodeProvider;
  /** what matrix products take; float16 needs `weights: 'inside'` to gain anything */
  precision?: Precision;
  /** default: on the CPU one copy is fed to every session; on CUDA each session keeps its own on the device */
  weights?: 'inputs' | 'inside';
  /** bytes of weights that the device holds for all sessions together */
  room?: number;
}

export type NodeProvider = 'cpu' | 'cuda';
export type Precision = 'float32' | 'float16';

/**
 * onnxruntime-node, bound to the folder that holds a model's weights. On the CPU each tensor is read once and fed to every
 * session that wants it. On CUDA what is fed crosses the bus on every run, so that weights are part of the graph there
 * and stay on the device; feeds and results alone cross. Each session has threads of its own; spinning while idle, those
 * of many sessions would take the cores from each other.
 */
export function createNodeRuntime(folder: string, options: NodeRuntimeOptions): Runtime {
  const { threads, provider = 'cpu', precision = 'float32' } = options;
  const { weights: form = provider === 'cuda' ? 'inside' : 'inputs' } = options;
  const tensors = new WeightFiles(folder);
  const session = { 'intra_op.allow_spinning': '0', model_external_initializers_file_folder_path: folder };
  return {
    backend: { engine: 'onnxruntime-node', provider, dtype: precision },
    ...(options.room !== undefined && { room: options.room }),
    async open(graph) {
      const { name, weights } = graph;
      if (form === 'inside') await Promise.all([...weights.values()].map((stored) => checkStored(folder, stored)));
      const opened = await failing(name, 'a graph that onnxruntime accepts', async () =>
        ort.InferenceSession.create(encode(graph, form, precision, provider), {
          // What CUDA cannot do is done on the CPU.
          executionProviders: provider === 'cuda' ? ['cuda', 'cpu'] : ['cpu'],
          intraOpNumThreads: threads,
          interOpNumThreads: 1,
          enableCpuMemArena: false,
          logSeverityLevel: 3,
          extra: { session },
        }),
      );
      if (form === 'inside') return new NodeSession(name, opened, {});
      const entries = [...weights].map(async ([input, stored]) => [input, await tensors.read(input, stored)] as const);
      return new NodeSession(name, opened, Object.fromEntries(await Promise.all(entries)));
    },
  };
}

function encode(graph: Graph, weights: 'inputs' | 'inside', precision: Precision, provider: NodeProvider): Uint8Array {
  if (weights === 'inputs' && precision === 'float32') return graph.bytes;
  const products = precision === 'float16' && provider === 'cpu' ? 'rounded-to-float16' : precision;
  return graph.encode?.({ weights, products }) ?? graph.bytes;
}

class NodeSession implements Session {
  #closed = false;

  constructor(
    readonly name: string,
    readonly session: ort.InferenceSession,
    readonly weights: Record<string, ort.Tensor>,
  ) {}

  async run(feeds: Record<string, Tensor>, into: Record<string, FloatTensor> = {}): Promise<Record<string, FloatTensor>> {
    if (this.#closed) throw new EngineError('runtime', `graph ${this.name}`, 'a session that is open', 'one that was closed');
    const outputs = await failing(this.name, 'a run without failure', () => this.session.run(this.#inputs(feeds), this.#wanted(into)));
    const read = ([name, { data, dims }]: [string, ort.Tensor]) => [name, into[name] ?? { data: data as Float32Array, dims }] as const;
    return Object.fromEntries(Object.entries(outputs).map(read));
  }

  #inputs(feeds: Record<string, Tensor>): Record<string, ort.Tensor> {
    const inputs: Record<string, ort.Tensor> = { ...this.weights };
    for (const [key, { data, dims }] of Object.entries(feeds)) {
      inputs[key] = data instanceof Int32Array ? new ort.Tensor('int32', data, dims) : new ort.Tensor('float32', data, dims);
    }
    return inputs;
  }

  #wanted(into: Record<string, FloatTensor>): Record<string, ort.Tensor | null> {
    const wanted: Record<string, ort.Tensor | null> = {};
    for (const name of this.session.outputNames) {
      const place = into[name];
      wanted[name] = place ? new ort.Tensor('float32', place.data, place.dims) : null;
    }
    return wanted;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
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
