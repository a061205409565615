import { few } from './few.ts';

export const workerStrings = {
  title: 'Who computes for the server',
  loading: 'Asking the server…',
  none: 'Nobody at the moment: no worker runs, and the server leaves computing to workers.',
  columns: { name: 'Machine', device: 'Computes on', state: 'Now' },
  kinds: { server: 'a server', worker: 'a worker' },
  device: (provider: string, dtype: string, threads: number) => `${provider}, ${dtype}, ${few(threads, 'thread', 'threads')}`,
  notCuda: (why: string) => `in place of CUDA: ${why}`,
  idle: 'idle',
  running: (count: number) => few(count, 'analysis', 'analyses'),
  other: (engine: string) => `another version (engine ${engine}): takes nothing from here`,
} as const;
