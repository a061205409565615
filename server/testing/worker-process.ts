import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface WorkerPlace {
  name: string;
  databaseUrl: string;
  home: string;
  /** seconds */
  lease: number;
}

/** `npm run worker` but for npm, in a process of its own. */
export class WorkerProcess {
  /** all that it wrote */
  said = '';
  readonly ready: Promise<void>;
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  readonly #child: ChildProcess;

  constructor(readonly place: WorkerPlace) {
    const { name, databaseUrl, home, lease } = place;
    const settings = { WORKER_NAME: name, DATABASE_URL: databaseUrl, PATHBOARD_HOME: home, WORKER_LEASE: String(lease), LOG_LEVEL: 'warn' };
    const { PORT: _, ...inherited } = process.env;
    const env = { ...inherited, ...settings };
    const child = spawn(process.execPath, ['--import', 'tsx', 'server/worker.ts'], {
      cwd: ROOT,
      env,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.#child = child;
    this.ended = once(child, 'exit').then(([code, signal]) => ({ code, signal }) as Awaited<WorkerProcess['ended']>);
    this.ready = new Promise((ready, failed) => {
      const hear = (data: Buffer) => {
        this.said += data.toString();
        if (this.said.includes('is ready')) ready();
      };
      child.stdout?.on('data', hear);
      child.stderr?.on('data', hear);
      child.once('exit', () => failed(new Error(`worker ${name}: expected it to run, got\n${this.said}`)));
    });
    this.ready.catch(() => {});
  }

  /** `SIGSTOP` and `SIGCONT` included. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<Awaited<WorkerProcess['ended']>> {
    this.#child.kill(signal);
    return this.ended;
  }
}
