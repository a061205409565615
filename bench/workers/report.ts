import type { Machine } from '../machine.ts';

export interface Latency {
  count: number;
  /** milliseconds */
  p50: number;
  p95: number;
  most: number;
}

export interface Throughput {
  /** 0: computed in the asking process */
  workers: number;
  jobs: number;
  seconds: number;
  perSecond: number;
}

export interface Report {
  machine: Machine;
  /** without a queue between processes */
  alone: { throughput: Throughput; tiny: Latency; beside: Latency };
  shared: { throughput: Throughput; beside: Latency }[];
  /** a tiny job through the queue, nothing else to do, one worker */
  tiny: Latency;
  /** from a worker's death to another one's having its job */
  takeOver: Latency;
  /** seconds */
  lease: number;
}

export function printReport({ machine, alone, shared, tiny, takeOver, lease }: Report): void {
  const first = shared[0]?.throughput.perSecond ?? Number.NaN;
  const rows = [alone, ...shared].map(({ throughput, beside }) => [
    throughput.workers === 0 ? 'in process' : `${throughput.workers}`,
    throughput.perSecond.toFixed(2),
    throughput.workers === 0 ? '' : (throughput.perSecond / first).toFixed(2),
    beside.p50.toFixed(0),
    beside.p95.toFixed(0),
  ]);
  const lines = [
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.os}, Node ${machine.node}, onnxruntime-node ${machine.onnxruntime}`,
    `${alone.throughput.jobs} jobs of ${(1000 / alone.throughput.perSecond).toFixed(0)} ms each in one process; each worker computes with ${Math.max(1, machine.cores - 1)} threads, all of them on the same ${machine.cores} cores`,
    '',
    ...table(['workers', 'jobs/s', 'to one worker', 'tiny job beside them: p50 ms', 'p95 ms'], rows),
    '',
    `a tiny job, nothing else to do: ${alone.tiny.p50.toFixed(1)} ms in process (p95 ${alone.tiny.p95.toFixed(1)}), ` +
      `${tiny.p50.toFixed(1)} ms through the queue (p95 ${tiny.p95.toFixed(1)}): the queue costs ${(tiny.p50 - alone.tiny.p50).toFixed(1)} ms`,
    `from SIGKILL of a worker to its job in other hands: ${(takeOver.p50 / 1000).toFixed(1)} s (at most ${(takeOver.most / 1000).toFixed(1)} of ${takeOver.count}), with a lease of ${lease} s`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

function table(head: string[], rows: string[][]): string[] {
  const widths = head.map((name, i) => Math.max(name.length, ...rows.map((row) => row[i]?.length ?? 0)));
  return [head, ...rows].map((row) => row.map((cell, i) => cell.padStart(widths[i] ?? 0)).join('  '));
}
