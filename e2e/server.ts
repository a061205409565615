import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const START_MS = 300_000;
const MAIN = ['--import', 'tsx', 'server/main.ts'];

interface Launched {
  /** `http://127.0.0.1:PORT` */
  url: string;
  /** null once the owner signs in with a password */
  ownerLink: string | null;
  stop(signal: NodeJS.Signals): Promise<void>;
}

interface Place {
  home: string;
  port: number;
  /** more variables, such as DATABASE_URL */
  settings?: Record<string, string>;
}

/** What whoever runs the tests has set for a server of their own. */
const FOREIGN = ['DATABASE_URL', 'REDIS_URL', 'PUBLIC_URL', 'PATHBOARD_SECRET'];

/** Starts a program of the project that serves, and waits until it says that it is ready. */
export function launch(args: string[], { home, port, settings = {} }: Place): Promise<Launched> {
  const ours = { NODE_ENV: 'production' as const, HOST: '127.0.0.1', PORT: String(port), PATHBOARD_HOME: home, ...settings };
  const env: NodeJS.ProcessEnv = {
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !FOREIGN.includes(name))),
    ...ours,
  };
  const child = spawn(process.execPath, args, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise<void>((done) => child.once('exit', () => done()));
  return new Promise((ready, failed) => {
    let output = '';
    const timer = setTimeout(() => failed(new Error(`server: expected it to be ready, got\n${output}`)), START_MS);
    const read = (data: Buffer) => {
      output += data.toString();
      const url = /ready on (http:\/\/\S+)/.exec(output)?.[1];
      const ownerLink = /(http:\/\/\S+\/enter\?token=\S+)/.exec(output)?.[1] ?? null;
      if (!url || !(ownerLink ?? output.includes('/sign-in'))) return;
      clearTimeout(timer);
      ready({
        url,
        ownerLink,
        async stop(signal) {
          child.kill(signal);
          await ended;
        },
      });
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('exit', (status) => failed(new Error(`server: expected it to run, got exit code ${status}\n${output}`)));
  });
}

/** The real server on a folder and a port of its own. */
export class PathboardServer {
  private constructor(
    private readonly place: Required<Place>,
    private running: Launched,
  ) {}

  /** With more variables, such as DATABASE_URL, where `settings` names them. */
  static async start(settings: Record<string, string> = {}): Promise<PathboardServer> {
    const home = await mkdtemp(join(tmpdir(), 'pathboard-e2e-'));
    const running = await launch(MAIN, { home, port: 0, settings });
    return new PathboardServer({ home, port: Number(new URL(running.url).port), settings }, running);
  }

  get home(): string {
    return this.place.home;
  }

  get url(): string {
    return this.running.url;
  }

  /** Works once. */
  get ownerLink(): string {
    const link = this.running.ownerLink;
    if (link === null) throw new Error('server: expected a link for the owner, got a request to sign in');
    return link;
  }

  /** As a power cut or the kernel would end it. */
  kill(): Promise<void> {
    return this.running.stop('SIGKILL');
  }

  async restart(): Promise<void> {
    this.running = await launch(MAIN, this.place);
  }

  async stop(): Promise<void> {
    await this.running.stop('SIGTERM');
    await rm(this.home, { recursive: true, force: true });
  }
}
