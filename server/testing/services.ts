import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chownSync, cpSync, existsSync, mkdtempSync, readFileSync, readdirSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import pg from 'pg';
import { openPostgres } from '../../db/client.ts';
import { MIGRATIONS, cached, migrationsKey } from './home.ts';

/** A real server on this machine, for tests alone: it listens on loopback, and is gone with the process that started it. */
export interface Service {
  url: string;
  /** Ends it and removes its folder. */
  stop(): Promise<void>;
  /** As the kernel would end it, or with SIGQUIT as `pg_ctl stop -m immediate`. */
  kill(signal?: 'SIGKILL' | 'SIGQUIT'): Promise<void>;
  /** Starts it again on the same port and folder; resolves when it answers. */
  restart(): Promise<void>;
  /** It keeps its connections and answers none of them. */
  pause(): void;
  resume(): void;
}

export interface Postgres extends Service {
  /** The URL of a new database: migrated, unless it is asked for empty. */
  createDatabase(options?: { empty: boolean }): Promise<string>;
}

const READY_MS = 30_000;
const TEMPLATE = 'pathboard_template';

/** A cluster of its own, with fsync on. Null, said aloud, where PostgreSQL is not installed. */
export async function startPostgres(): Promise<Postgres | null> {
  const bin = postgresFolder();
  if (bin === null) return missing('PostgreSQL');
  const folder = mkdtempSync(join(tmpdir(), 'pathboard-postgres-'));
  cpSync(await cluster(bin), folder, { recursive: true });
  const daemon = await Daemon.start(await postgresOn(bin, folder));
  let made = 0;
  return Object.assign(daemon, {
    async createDatabase({ empty }: { empty: boolean } = { empty: false }) {
      const name = `pathboard_${++made}`;
      await administer(daemon.url, `create database ${name} template ${empty ? 'template0' : TEMPLATE}`);
      return urlOf(daemon.program.port, name);
    },
  });
}

/** Keeps nothing on disk. Null, said aloud, where Redis is not installed. */
export async function startRedis(): Promise<Service | null> {
  const command = inPath('redis-server');
  if (command === null) return missing('Redis');
  const folder = mkdtempSync(join(tmpdir(), 'pathboard-redis-'));
  const port = await freePort();
  const options = { port: String(port), bind: '127.0.0.1', save: '', appendonly: 'no', dir: folder, pidfile: join(folder, 'redis.pid') };
  return Daemon.start({
    name: 'Redis',
    command,
    args: Object.entries(options).flatMap(([option, value]) => [`--${option}`, value]),
    folder,
    pidFile: options.pidfile,
    port,
    url: `redis://127.0.0.1:${port}`,
    answers: () => pong(port),
    endsOn: 'SIGTERM',
    identity: {},
  });
}

export function hasPostgres(): boolean {
  return postgresFolder() !== null || missing('PostgreSQL') !== null;
}

export function hasRedis(): boolean {
  return inPath('redis-server') !== null || missing('Redis') !== null;
}

/**
 * A port that no connection gets by itself: whoever keeps calling a closed port of the kernel's own range
 * may be given that very port to call from, and then talks to itself.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    const server = createServer();
    const free = await new Promise<boolean>((told) => {
      server.once('error', () => told(false));
      server.listen(port, '127.0.0.1', () => told(true));
    });
    if (!free) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
}

interface Program {
  name: string;
  command: string;
  args: string[];
  folder: string;
  /** its first line is the process id */
  pidFile: string;
  port: number;
  url: string;
  answers(): Promise<boolean>;
  endsOn: NodeJS.Signals;
  identity: Identity;
}

/** PostgreSQL refuses to run as root. */
type Identity = { uid?: number; gid?: number };

/** Waits until whoever holds the other end of its input is gone, then ends the program and removes its folder. */
const REAPER = `
read -r _
pid=$(head -n 1 "$1" 2>/dev/null)
if [ -n "$pid" ] && [ "$(readlink "/proc/$pid/cwd" 2>/dev/null || echo "$2")" = "$2" ]; then
  kill -9 "$pid" $(cat "/proc/$pid/task/$pid/children" 2>/dev/null) 2>/dev/null
fi
for _ in 1 2 3 4 5; do rm -rf "$2" 2>/dev/null && break; sleep 0.2; done`;

class Daemon implements Service {
  private child: ChildProcess | null = null;
  private said = '';

  private constructor(
    readonly program: Program,
    private readonly reaper: ChildProcess,
  ) {}

  static async start(program: Program): Promise<Daemon> {
    const reaper = spawn('sh', ['-c', REAPER, 'reaper', program.pidFile, program.folder], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    });
    const daemon = new Daemon(program, reaper);
    try {
      await daemon.restart();
    } catch (error) {
      await daemon.stop();
      throw error;
    }
    return daemon;
  }

  get url(): string {
    return this.program.url;
  }

  async restart(): Promise<void> {
    await this.kill();
    const end = Date.now() + READY_MS;
    for (;;) {
      // One that was killed may hold its memory or its port a moment longer: then the next one ends at once.
      if (this.child === null) this.spawn();
      if (await this.program.answers()) return;
      if (Date.now() > end) throw new Error(`${this.program.name}: expected it to answer, got\n${this.said}`);
      await pause(25);
    }
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const { child } = this;
    if (child === null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }

  pause(): void {
    this.signal('SIGSTOP');
  }

  resume(): void {
    this.signal('SIGCONT');
  }

  private signal(signal: NodeJS.Signals): void {
    for (const pid of this.processes()) {
      try {
        process.kill(pid, signal);
      } catch (error) {
        // One that served a connection may have ended since they were listed.
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
    }
  }

  async stop(): Promise<void> {
    const { child, reaper } = this;
    if (child !== null) this.resume();
    await this.kill(this.program.endsOn);
    const reaped = once(reaper, 'exit');
    reaper.stdin?.end();
    await reaped;
  }

  private spawn(): void {
    const { command, args, folder, identity } = this.program;
    const child = spawn(command, args, { ...identity, cwd: folder, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    const hear = (data: Buffer) => (this.said = (this.said + data.toString()).slice(-4000));
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.once('exit', () => (this.child = null));
    this.child = child;
  }

  /** The program, and the processes that serve its connections. */
  private processes(): number[] {
    const pid = this.child?.pid;
    if (pid === undefined) throw new Error(`${this.program.name}: expected it to run`);
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    return [pid, ...children.split(' ').filter(Boolean).map(Number)];
  }
}

async function postgresOn(bin: string, folder: string): Promise<Program> {
  const port = await freePort();
  const identity = unprivileged();
  own(folder, identity);
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    port,
    max_connections: 200,
    shared_buffers: '32MB',
    fsync: 'on',
    log_min_messages: 'fatal',
  };
  return {
    name: 'PostgreSQL',
    command: join(bin, 'postgres'),
    args: ['-D', folder, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    folder,
    pidFile: join(folder, 'postmaster.pid'),
    port,
    url: urlOf(port, 'postgres'),
    answers: () => administer(urlOf(port, 'postgres'), 'select 1').then(...YES_OR_NO),
    // At once: the folder goes anyway, and writing all of it first can take longer than a test may.
    endsOn: 'SIGQUIT',
    identity,
  };
}

const YES_OR_NO = [() => true, () => false] as const;

/** A folder with a cluster and a migrated template in it: copied, because making one takes seconds. */
function cluster(bin: string): Promise<string> {
  const key = createHash('sha256').update(`${bin} ${migrationsKey()}`).digest('hex').slice(0, 16);
  return cached(`postgres-${key}`, async (draft) => {
    // Not in the cache: the server's user may not be allowed to pass through the folders above it.
    const folder = mkdtempSync(join(tmpdir(), 'pathboard-cluster-'));
    const identity = unprivileged();
    own(folder, identity);
    const options = ['-D', folder, '-U', 'pathboard', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--wal-segsize=1', '--no-sync'];
    const { status, stderr } = spawnSync(join(bin, 'initdb'), options, { ...identity, cwd: folder, encoding: 'utf8' });
    if (status !== 0) throw new Error(`initdb: expected exit code 0, got ${status}\n${stderr}`);
    const daemon = await Daemon.start(await postgresOn(bin, folder));
    await administer(daemon.url, `create database ${TEMPLATE} template template0`);
    const { close } = await openPostgres(urlOf(daemon.program.port, TEMPLATE), MIGRATIONS, () => {});
    await close();
    // A copy of a running cluster, or of one that was not ended in order, is none.
    await daemon.kill('SIGINT');
    cpSync(folder, join(draft, 'cluster'), { recursive: true });
    await daemon.stop();
    return join(draft, 'cluster');
  });
}

function postgresFolder(): string | null {
  const installed = '/usr/lib/postgresql';
  const versions = existsSync(installed) ? readdirSync(installed).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [...versions.map((version) => join(installed, version, 'bin')), ...(process.env['PATH'] ?? '').split(delimiter)];
  return folders.find((folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres'))) ?? null;
}

function inPath(name: string): string | null {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/bin'];
  return folders.map((folder) => join(folder, name)).find((file) => existsSync(file)) ?? null;
}

const told = new Set<string>();

/** Null. Where everything must be tested, an error. */
function missing(name: string): null {
  if (process.env['CI'] === 'true') throw new Error(`${name}: expected it to be installed, because CI is true`);
  // oxlint-disable-next-line no-console -- a test that did not run must be seen
  if (!told.has(name)) console.warn(`SKIPPED: ${name} is not installed, and what needs it is not tested`);
  told.add(name);
  return null;
}

function unprivileged(): Identity {
  if (process.getuid?.() !== 0) return {};
  const users = readFileSync('/etc/passwd', 'utf8').split('\n');
  const line = ['postgres', 'nobody'].map((name) => users.find((user) => user.startsWith(`${name}:`))).find(Boolean);
  if (line === undefined) throw new Error('PostgreSQL: expected a user postgres or nobody, because it refuses to run as root');
  const [, , uid, gid] = line.split(':');
  return { uid: Number(uid), gid: Number(gid) };
}

function own(folder: string, { uid, gid }: Identity): void {
  if (uid === undefined || gid === undefined) return;
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) chownSync(join(folder, file), uid, gid);
  chownSync(folder, uid, gid);
}

function urlOf(port: number, database: string): string {
  return `postgres://pathboard@127.0.0.1:${port}/${database}`;
}

async function administer(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2000 });
  // It may break at any moment, also while nobody asks.
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query(statement);
  } finally {
    await client.end().catch(() => {});
  }
}

function pong(port: number): Promise<boolean> {
  return new Promise((told) => {
    const socket = connect({ host: '127.0.0.1', port, timeout: 1000 });
    const answer = (alive: boolean) => {
      socket.destroy();
      told(alive);
    };
    socket.once('connect', () => socket.write('PING\r\n'));
    socket.once('data', (data) => answer(data.toString().startsWith('+PONG')));
    socket.once('timeout', () => answer(false));
    socket.once('error', () => answer(false));
  });
}

function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}
