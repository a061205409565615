import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { LOADED, READY, REPORTS, type Deeds, type Doom } from './doom.ts';
import type { Place } from './place.ts';

export interface ServerOptions {
  place: Place;
  redisUrl: string | null;
  port: number;
  /** small ones make every moment a dangerous one */
  compactAfter: number;
  /** milliseconds */
  unloadAfter: number;
  doom: Doom | null;
}

const CHILD = fileURLToPath(new URL('child.ts', import.meta.url));
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SAID = 20_000;

type Exit = { code: number | null; signal: NodeJS.Signals | null };

/**
 * A server in a process of its own, which is gone with the process that started it. Loading its modules takes
 * longer than starting it, so it does the first by itself and the second when told to.
 */
export class ServerProcess {
  deeds: Deeds = { compactions: 0, appends: 0, unloads: 0 };
  /** the last of what it wrote */
  said = '';
  readonly loaded: Promise<void>;
  readonly ended: Promise<Exit>;
  readonly #ready: Promise<void>;
  readonly #child: ChildProcess;

  constructor() {
    const child = spawn(process.execPath, ['--import', 'tsx', CHILD], { cwd: ROOT, stdio: ['pipe', 'pipe', 'pipe', 'pipe'] });
    this.#child = child;
    // Whoever waits for its end is told; a pipe that breaks earlier says nothing new.
    child.stdin?.on('error', () => {});
    this.ended = once(child, 'exit').then(([code, signal]) => ({ code, signal }) as Exit);
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (data: Buffer) => (this.said = (this.said + data.toString()).slice(-SAID)));
    }
    const reports = createInterface(child.stdio[REPORTS] as Readable);
    const heard = (word: string) =>
      new Promise<void>((done) => {
        reports.on('line', (line) => (line === word ? done() : undefined));
      });
    this.loaded = heard(LOADED);
    this.#ready = heard(READY);
    reports.on('line', (line) => {
      if (line.startsWith('{')) this.deeds = JSON.parse(line) as Deeds;
    });
  }

  /** Resolves when it serves, or when it has ended before that. */
  async start(options: ServerOptions): Promise<void> {
    this.#child.stdin?.write(`${JSON.stringify(options)}\n`);
    await Promise.race([this.#ready, this.ended]);
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** `kill -9`. */
  async kill(): Promise<Exit> {
    this.#child.kill('SIGKILL');
    return this.ended;
  }
}
