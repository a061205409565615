import { readFile } from 'node:fs/promises';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { createRequire } from 'node:module';
import { GraphBuilder } from '../lib/engine/onnx.ts';
import { tensor, type Runtime } from '../lib/engine/runtime.ts';

export interface Machine {
  cpu: string;
  cores: number;
  memoryGiB: number;
  os: string;
  node: string;
  onnxruntime: string;
}

export async function describeMachine(): Promise<Machine> {
  const { version } = createRequire(import.meta.url)('onnxruntime-node/package.json') as { version: string };
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '');
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    os: /PRETTY_NAME="(.*)"/.exec(release)?.[1] ?? process.platform,
    node: process.version,
    onnxruntime: version,
  };
}

/** The highest GFLOP/s that MatMul reaches through this runtime over a few square and tall shapes. */
export async function matmulPeak(runtime: Runtime, repeats: number): Promise<number> {
  let peak = 0;
  for (const [rows, inner, columns] of [
    [1024, 1024, 1024],
    [2048, 2048, 2048],
    [2048, 768, 3072],
  ] as const) {
    const g = new GraphBuilder(`peak-${rows}-${inner}-${columns}`);
    const product = g.op('MatMul', [g.input('a', 'float32', [rows, inner]), g.input('b', 'float32', [inner, columns])]);
    const ones = g.op('ReduceMax', [product, g.ints([0, 1])], { keepdims: 0 });
    g.output('max', ones, 'float32', []);
    const session = await runtime.open(g.finish());
    const feeds = {
      a: tensor(new Float32Array(rows * inner).fill(1), [rows, inner]),
      b: tensor(new Float32Array(inner * columns).fill(1), [inner, columns]),
    };
    const { best } = await time(repeats, () => session.run(feeds));
    peak = Math.max(peak, (2 * rows * inner * columns) / (best * 1e6));
    await session.close();
  }
  return peak;
}

/** Milliseconds of `repeats` runs after one that warms up. */
export async function time(repeats: number, work: () => Promise<unknown>): Promise<{ median: number; best: number }> {
  await work();
  const times: number[] = [];
  for (let run = 0; run < repeats; run++) {
    const started = performance.now();
    await work();
    times.push(performance.now() - started);
  }
  times.sort((a, b) => a - b);
  return { median: times[Math.floor(times.length / 2)]!, best: times[0]! };
}

export interface Memory {
  /** most that was ever resident */
  peakGiB: number;
  nowGiB: number;
  /** resident now, each page shared between its mappings (Pss) */
  onceGiB: number;
}

export async function memory(): Promise<Memory> {
  const rollup = await readFile('/proc/self/smaps_rollup', 'utf8').catch(() => '');
  const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(rollup)?.[1] ?? Number.NaN) / 2 ** 20;
  return { peakGiB: process.resourceUsage().maxRSS / 2 ** 20, nowGiB: field('Rss'), onceGiB: field('Pss') };
}
