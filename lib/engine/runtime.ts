import type { Graph } from './onnx.ts';

/** What the engine needs of an inference library. Implementations: node (server/engine), web (lib/worker). */

export interface Tensor {
  readonly dims: readonly number[];
  readonly data: Float32Array | Int32Array;
}

export interface FloatTensor extends Tensor {
  readonly data: Float32Array;
}

export interface Session {
  /**
   * Runs the graph once. Outputs are float32 and owned by the caller; those named in `into` may be written
   * there, which saves a copy: then their data are the same.
   * @throws EngineError `runtime` naming the graph when the library refuses the feeds or runs out of memory
   */
  run(feeds: Record<string, Tensor>, into?: Record<string, FloatTensor>): Promise<Record<string, FloatTensor>>;
  close(): Promise<void>;
}

export interface Backend {
  engine: string;
  provider: string;
  dtype: string;
}

/** A library bound to one model's folder, whose tensors it feeds to graphs. */
export interface Runtime {
  readonly backend: Backend;
  /** bytes of weights that open sessions may hold, where each holds its own; absent where they share them */
  readonly room?: number;
  /** @param graph the runtime feeds its weights, from the model's folder, on every run */
  open(graph: Graph): Promise<Session>;
}

export function tensor(data: Float32Array, dims: readonly number[]): FloatTensor {
  return { data, dims };
}

export function indices(values: readonly number[], dims: readonly number[] = [values.length]): Tensor {
  return { data: Int32Array.from(values), dims };
}

/** The `index`-th item along the first axis, as a view on the same memory. */
export function slice(from: FloatTensor, index: number): FloatTensor {
  const dims = from.dims.slice(1);
  const size = dims.reduce((product, dim) => product * dim, 1);
  return { data: from.data.subarray(index * size, (index + 1) * size), dims };
}

/** Items `from` to `from + count` along the first axis, as a view on the same memory. */
export function slices({ data, dims }: FloatTensor, from: number, count: number): FloatTensor {
  const size = data.length / dims[0]!;
  return { data: data.subarray(from * size, (from + count) * size), dims: [count, ...dims.slice(1)] };
}
