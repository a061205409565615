import type { WorkerSummary } from '../../lib/wire.ts';

/** What a worker computes with. */
export type Device = WorkerSummary['devices'][number];

export function cpuDevice(threads: number): Device {
  return { engine: 'onnxruntime-node', provider: 'cpu', dtype: 'float32', threads };
}
