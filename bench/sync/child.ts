import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { clock } from './peers/probe.mjs';

/** What a process can be asked: what each call takes and gives. */
export interface Call {
  argument: unknown;
  result: unknown;
}

export type Calls<C> = { [Name in keyof C]: Call };

export type Handlers<C extends Calls<C>> = {
  [Name in keyof C]: (argument: C[Name]['argument']) => C[Name]['result'] | Promise<C[Name]['result']>;
};

/** The figures of one process at one moment. */
export interface Stats {
  /** on the common clock */
  at: number;
  /** processor time since the process began, all threads */
  cpuMs: number;
  heapUsed: number;
  /** memory of buffers outside the heap, and of WebAssembly */
  external: number;
  rss: number;
  peakRss: number;
  /** how late the event loop was, in milliseconds, since the last time that it was asked */
  delay: { p50: number; p95: number; p99: number; max: number };
}

export interface CommonCalls {
  stats: { argument: { collect: boolean }; result: Stats };
}

const STOP_MS = 10_000;

/** A process that is asked over the channel to it. It ends when this one does. */
export class Child<C extends Calls<C>> {
  private readonly waiting = new Map<number, { resolve(value: never): void; reject(error: Error): void }>();
  private next = 1;
  private failure: Error | null = null;

  private readonly greeted: Promise<unknown>;

  private constructor(
    private readonly process: ChildProcess,
    private readonly name: string,
  ) {
    this.greeted = new Promise((resolve, reject) => {
      process.once('message', resolve);
      process.once('exit', () => reject(new Error(`${name}: expected a process that says it is ready, got its end`)));
    });
    // Whoever waits for it is told; nobody may be waiting yet.
    this.greeted.catch(() => {});
    process.on('message', (message: { id?: number; result?: unknown; error?: string }) => {
      const waiting = this.waiting.get(message.id ?? 0);
      if (!waiting) return;
      this.waiting.delete(message.id ?? 0);
      if (message.error === undefined) waiting.resolve(message.result as never);
      else waiting.reject(new Error(`${name}: ${message.error}`));
    });
    process.on('exit', (code, signal) => this.fail(new Error(`${name}: expected a process that answers, got its end (${signal ?? code})`)));
  }

  static start<C extends Calls<C>>(name: string, script: string, args: readonly string[], execArgv: readonly string[]): Child<C> {
    const child = fork(script, args, { execArgv: [...execArgv], serialization: 'advanced', stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    return new Child(child, name);
  }

  /** What it says first, before it is asked anything. */
  greeting<T>(): Promise<T> {
    return this.greeted as Promise<T>;
  }

  ask<Name extends keyof C & string>(call: Name, argument: C[Name]['argument']): Promise<C[Name]['result']> {
    if (this.failure) return Promise.reject(this.failure);
    const id = this.next++;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.process.send({ id, call, argument });
    });
  }

  async stop(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const ended = once(this.process, 'exit');
    this.process.disconnect();
    const late = setTimeout(() => this.process.kill('SIGKILL'), STOP_MS);
    await ended;
    clearTimeout(late);
  }

  private fail(error: Error): void {
    this.failure = error;
    for (const { reject } of this.waiting.values()) reject(error);
    this.waiting.clear();
  }
}

/** Of one core, between two moments of a process. */
export function coresUsed(before: Stats, after: Stats): number {
  return (after.cpuMs - before.cpuMs) / (after.at - before.at);
}

export async function until(at: number): Promise<void> {
  await new Promise((done) => setTimeout(done, Math.max(0, at - clock())));
}
