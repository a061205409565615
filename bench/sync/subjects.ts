import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startPostgres, startRedis } from '../../server/testing/services.ts';
import { Child, type CommonCalls } from './child.ts';
import type { GeneratorCalls } from './generator.ts';
import type { Entrant } from './people.ts';
import type { ServerCalls, ServerOptions } from './server.ts';

/** The servers that are measured: ours as it is run, and the peers with and without a database. */

const HERE = fileURLToPath(new URL('./', import.meta.url));
const CACHE = fileURLToPath(new URL('../.cache/sync-peers/', import.meta.url));
const TSX = ['--import', 'tsx'];
/** Fifty copies of a large document are held by one process. */
const GENERATOR_HEAP = '--max-old-space-size=8192';

/** Boards, and who may open them where. */
export interface Place {
  rooms: string[];
  people: Entrant[];
  /** one a server process */
  addresses: { url: string; origin: string }[];
}

/** Servers that run, ready to be connected to. */
export interface Site {
  servers: Child<CommonCalls>[];
  prepare(boards: number, people: number): Promise<Place>;
  stop(): Promise<void>;
}

/** Ours alone can be told to analyse. */
export interface OurSite extends Site {
  servers: Child<ServerCalls>[];
}

export interface Subject {
  name: string;
  /** what is certain about an edit that somebody else sees */
  durability: string;
  start(): Promise<Site>;
  /** its own client's module; ours when left out */
  client?: () => Promise<string>;
}

export interface OurOptions {
  instances: 1 | 2;
  postgres: boolean;
  unloadAfter?: number;
  /** a folder for processor profiles of the servers */
  profile?: string;
}

/** Null, said aloud by the services, where PostgreSQL or Redis are not installed. */
export async function startOurs({ instances, postgres, unloadAfter, profile }: OurOptions): Promise<OurSite | null> {
  const database = postgres ? await startPostgres() : null;
  const redis = instances > 1 ? await startRedis() : null;
  const homes: string[] = [];
  const end = async () => {
    await Promise.all([database?.stop(), redis?.stop()]);
    for (const home of homes) await rm(home, { recursive: true, force: true });
  };
  if ((postgres && !database) || (instances > 1 && !redis)) {
    await end();
    return null;
  }
  const databaseUrl = (await database?.createDatabase()) ?? null;
  const servers: Child<ServerCalls>[] = [];
  const addresses: Place['addresses'] = [];
  for (let instance = 0; instance < instances; instance++) {
    const home = await mkdtemp(join(tmpdir(), 'pathboard-sync-'));
    homes.push(home);
    const options: ServerOptions = { home, databaseUrl, redisUrl: redis?.url ?? null, unloadAfter };
    const profiling = profile ? ['--cpu-prof', '--cpu-prof-dir', profile] : [];
    const server = Child.start<ServerCalls>(
      'server',
      join(HERE, 'server.ts'),
      [JSON.stringify(options)],
      [...TSX, '--expose-gc', ...profiling],
    );
    servers.push(server);
    const { port } = await server.greeting<{ port: number }>();
    addresses.push({ url: `ws://127.0.0.1:${port}/collab`, origin: `http://127.0.0.1:${port}` });
  }
  return {
    servers,
    async prepare(boards, people) {
      const prepared = await servers[0]!.ask('prepare', { boards, people });
      return { rooms: prepared.boards.map((id) => `board/${id}`), people: prepared.people, addresses };
    },
    async stop() {
      for (const server of servers) await server.stop();
      await end();
    },
  };
}

type PeerName = 'y-websocket-server' | 'hocuspocus';

export const PEERS: readonly Subject[] = [
  {
    name: '@y/websocket-server 0.1.5, in memory',
    durability: 'nothing is stored: a restart loses every document',
    start: () => startPeer('y-websocket-server', false),
  },
  {
    name: '@y/websocket-server 0.1.5, LevelDB',
    durability: 'sent to the others first, stored afterwards, and nobody waits for it or is told',
    start: () => startPeer('y-websocket-server', true),
  },
  {
    name: 'Hocuspocus 3.4.4, in memory',
    durability: 'nothing is stored: a restart loses every document',
    start: () => startPeer('hocuspocus', false),
    client: async () => join(await installPeer('hocuspocus'), 'client.mjs'),
  },
  {
    name: 'Hocuspocus 3.4.4, database extension',
    durability: 'acknowledged at once, the whole document stored 2 to 10 s later: a crash loses what was acknowledged since',
    start: () => startPeer('hocuspocus', true),
    client: async () => join(await installPeer('hocuspocus'), 'client.mjs'),
  },
];

async function startPeer(name: PeerName, stores: boolean): Promise<Site> {
  const folder = await installPeer(name);
  const data = stores ? await mkdtemp(join(tmpdir(), 'pathboard-sync-')) : null;
  const args = data === null ? [] : [join(data, 'db')];
  const server = Child.start<CommonCalls>(name, join(folder, 'server.mjs'), args, ['--expose-gc']);
  const { port } = await server.greeting<{ port: number }>();
  const address = { url: `ws://127.0.0.1:${port}`, origin: `http://127.0.0.1:${port}` };
  let boards = 0;
  return {
    servers: [server],
    async prepare(count, people) {
      const rooms = Array.from({ length: count }, () => `board-${boards++}`);
      const entrants = Array.from({ length: people }, (_, index) => ({ id: `person-${index}`, name: `Person ${index}`, cookie: '' }));
      return { rooms, people: entrants, addresses: [address] };
    },
    async stop() {
      await server.stop();
      if (data !== null) await rm(data, { recursive: true, force: true });
    },
  };
}

/** Installs what the peer's lock file says into a folder of its own, unless it is there; gives the folder. */
async function installPeer(name: PeerName): Promise<string> {
  const source = join(HERE, 'peers', name);
  const folder = join(CACHE, name);
  await mkdir(folder, { recursive: true });
  const files = ['package.json', 'package-lock.json'];
  const hash = createHash('sha256');
  for (const file of files) hash.update(await readFile(join(source, file)));
  const wanted = hash.digest('hex');
  await cp(source, folder, { recursive: true });
  await cp(join(HERE, 'peers', 'probe.mjs'), join(folder, 'probe.mjs'));
  const marker = join(folder, 'lock.sha256');
  if ((await readFile(marker, 'utf8').catch(() => '')) === wanted) return folder;
  const npm = spawn('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  const [code] = (await once(npm, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`${name}: expected npm ci to install it in ${folder}, got exit code ${code}`);
  await writeFile(marker, wanted);
  return folder;
}

/** Processes with clients in them. */
export async function startGenerators(count: number, client?: string): Promise<Child<GeneratorCalls>[]> {
  const generators = Array.from({ length: count }, () =>
    Child.start<GeneratorCalls>('generator', join(HERE, 'generator.ts'), client ? [client] : [], [...TSX, '--expose-gc', GENERATOR_HEAP]),
  );
  for (const generator of generators) await generator.greeting();
  return generators;
}
