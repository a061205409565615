import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { nodeFault, onPort, readConfig, readWorkerConfig, warningsOf, withoutSecrets } from './config.ts';

let root: string;
beforeAll(() => (root = mkdtempSync(join(tmpdir(), 'pathboard-config-'))));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const SECRET = 'canary-'.repeat(5);
const read = (env: Record<string, string>) => readConfig(env as NodeJS.ProcessEnv, root);

function faultsOf(env: Record<string, string>): string[] {
  try {
    read(env);
  } catch (error) {
    if (error instanceof Error && 'isStartError' in error) return error.message.split('\n');
    throw error;
  }
  return [];
}

test('nothing is set: a server for this machine alone', () => {
  expect(read({})).toMatchObject({
    home: join(root, '.pathboard'),
    host: '127.0.0.1',
    port: 3000,
    publicUrl: 'http://127.0.0.1:3000',
    trustedProxies: 0,
    databaseUrl: null,
    redisUrl: null,
    oauth: {},
    signUp: 'invited',
    metricsToken: null,
    rateLimits: 'on',
    logLevel: 'info',
    modelHosts: ['huggingface.co'],
    dev: false,
  });
});

test('everything is set', () => {
  const config = read({
    PATHBOARD_HOME: join(root, 'home'),
    HOST: '[::]',
    PORT: '80',
    PUBLIC_URL: 'https://Board.example.org/',
    TRUSTED_PROXIES: '2',
    DATABASE_URL: 'postgres://ada:pass@db/board',
    REDIS_URL: 'rediss://:pass@cache:6379/1',
    PATHBOARD_SECRET: SECRET,
    GITHUB_CLIENT_ID: 'a',
    GITHUB_CLIENT_SECRET: 'b',
    GOOGLE_CLIENT_ID: 'c',
    GOOGLE_CLIENT_SECRET: 'd',
    SIGN_UP: 'open',
    METRICS_TOKEN: 'sixteen letters.',
    LOG_LEVEL: 'debug',
    HF_ENDPOINT: 'https://mirror.example.org',
    NODE_ENV: 'development',
  });
  expect(config).toMatchObject({
    host: '::',
    port: 80,
    publicUrl: 'https://board.example.org',
    trustedProxies: 2,
    authSecret: SECRET,
    oauth: { github: { clientId: 'a', clientSecret: 'b' }, google: { clientId: 'c', clientSecret: 'd' } },
    signUp: 'open',
    modelEndpoint: 'https://mirror.example.org',
    modelHosts: ['mirror.example.org'],
    dev: true,
  });
});

test.each([
  [{ HOST: 'not a host' }, 'HOST: expected an address or a name to listen on, got "not a host"'],
  [{ HOST: '999.1.1.1' }, 'HOST: expected an address or a name to listen on, got "999.1.1.1"'],
  [{ PORT: '70000' }, 'PORT: expected 0 to 65535, got "70000"'],
  [{ PORT: '-1' }, 'PORT: expected 0 to 65535, got "-1"'],
  [{ PUBLIC_URL: 'board.example.org' }, 'PUBLIC_URL: expected an origin such as https://board.example.org, got "board.example.org"'],
  [{ PUBLIC_URL: 'https://a.org/sub' }, 'PUBLIC_URL: expected an origin such as https://board.example.org, got "https://a.org/sub"'],
  [{ PUBLIC_URL: 'ftp://a.org' }, 'PUBLIC_URL: expected an origin such as https://board.example.org, got "ftp://a.org"'],
  [{ TRUSTED_PROXIES: '11' }, 'TRUSTED_PROXIES: expected 0 to 10, got "11"'],
  [
    { DATABASE_URL: 'mysql://a/b' },
    'DATABASE_URL: expected a URL that begins with postgres:// or postgresql://, got one that begins with mysql:',
  ],
  [{ DATABASE_URL: 'board' }, 'DATABASE_URL: expected a URL that begins with postgres:// or postgresql://, got something else'],
  [{ PATHBOARD_SECRET: 'short' }, 'PATHBOARD_SECRET: expected at least 32 characters, got 5'],
  [{ METRICS_TOKEN: 'short' }, 'METRICS_TOKEN: expected at least 16 characters, got 5'],
  [{ GITHUB_CLIENT_ID: 'a' }, 'GITHUB_CLIENT_SECRET: expected one beside GITHUB_CLIENT_ID, got nothing'],
  [{ GOOGLE_CLIENT_SECRET: 'a' }, 'GOOGLE_CLIENT_ID: expected one beside GOOGLE_CLIENT_SECRET, got nothing'],
  [{ SIGN_UP: 'closed' }, 'SIGN_UP: expected open, invited, got "closed"'],
  [{ LOG_LEVEL: 'loud' }, 'LOG_LEVEL: expected fatal, error, warn, info, debug, got "loud"'],
  [{ MODEL_HOSTS: 'a.org,b org' }, 'MODEL_HOSTS: expected names of hosts, or *.name, with commas between them, got "b org"'],
  [{ HOST: '10.0.0.1', RATE_LIMITS: 'off' }, 'RATE_LIMITS: expected on beside HOST 10.0.0.1, which others reach, got off'],
  [{ HOST: '10.0.0.1', PORT: '0' }, 'PORT: expected 1 to 65535 beside HOST 10.0.0.1, got 0'],
])('%j is one fault', (env, fault) => {
  expect(faultsOf(env)).toEqual([fault]);
});

test('all faults are told at once, a line each', () => {
  expect(faultsOf({ PORT: 'x', HOST: '0.0.0.0', REDIS_URL: 'redis://cache', LOG_LEVEL: 'x' })).toEqual([
    'PORT: expected 0 to 65535, got "x"',
    'LOG_LEVEL: expected fatal, error, warn, info, debug, got "x"',
    'PUBLIC_URL: expected the origin under which browsers reach the server (HOST 0.0.0.0 names none), got nothing',
    'DATABASE_URL: expected one beside REDIS_URL (instances share a database; the embedded one belongs to one process), got nothing',
    'PATHBOARD_SECRET: expected one beside REDIS_URL (instances must know the cookies that another one signed), got nothing',
  ]);
});

test('no fault repeats what may be secret', () => {
  const faults = faultsOf({
    DATABASE_URL: 'mysql://ada:canary@db/board',
    REDIS_URL: 'canary',
    PATHBOARD_SECRET: 'canary',
    METRICS_TOKEN: 'canary',
    GITHUB_CLIENT_SECRET: 'canary',
    PUBLIC_URL: 'https://ada:canary@board.example.org',
  });
  expect(faults).toHaveLength(6);
  expect(faults.join('\n')).not.toContain('canary');
  expect(withoutSecrets('postgres://ada:canary@db:5432/board?password=canary')).toBe('postgres://db:5432/board');
});

test('the secret of an installation is made once, and nobody else can read it', () => {
  const home = join(root, 'kept');
  const first = read({ PATHBOARD_HOME: home });
  expect(read({ PATHBOARD_HOME: home }).authSecret).toBe(first.authSecret);
  expect(first.authSecret.length).toBeGreaterThanOrEqual(32);
  expect(statSync(join(home, 'secret')).mode & 0o777).toBe(0o600);
  expect(readFileSync(join(home, 'secret'), 'utf8').trim()).toBe(first.authSecret);
  expect(read({ PATHBOARD_HOME: home }).localSecret).not.toBe(first.localSecret);
  writeFileSync(join(home, 'secret'), '');
  expect(faultsOf({ PATHBOARD_HOME: home })[0]).toContain('expected a secret of at least 32 characters, got 0');
});

test('a port that the system chose is in the default origin, and not in one that was given', () => {
  expect(onPort(read({ PORT: '0' }), 4321)).toMatchObject({ port: 4321, publicUrl: 'http://127.0.0.1:4321' });
  expect(onPort(read({ PORT: '0', PUBLIC_URL: 'https://a.org' }), 4321)).toMatchObject({ port: 4321, publicUrl: 'https://a.org' });
});

test('what is most likely not meant is told', () => {
  const warnings = (env: Record<string, string>) => warningsOf(env as NodeJS.ProcessEnv, read({ PATHBOARD_HOME: root, ...env }));
  expect(warnings({})).toEqual([]);
  expect(warnings({ PATHBOARD_PORT: '1', PATHBOARD_DB: '1' })).toEqual([
    'PATHBOARD_DB: expected one of PATHBOARD_HOME, PATHBOARD_SECRET, PATHBOARD_ENGINE, PATHBOARD_DEVICE, PATHBOARD_PRECISION, got a name that means nothing here',
    'PATHBOARD_PORT: expected one of PATHBOARD_HOME, PATHBOARD_SECRET, PATHBOARD_ENGINE, PATHBOARD_DEVICE, PATHBOARD_PRECISION, got a name that means nothing here',
  ]);
  expect(warnings({ HOST: '0.0.0.0', PUBLIC_URL: 'http://10.0.0.1:3000' })).toEqual([
    expect.stringContaining('PUBLIC_URL: expected https'),
  ]);
  expect(warnings({ PUBLIC_URL: 'http://board.example.org' })).toEqual([expect.stringContaining('PUBLIC_URL: expected https')]);
  expect(warnings({ HOST: '0.0.0.0', PUBLIC_URL: 'https://board.example.org' })).toEqual([]);
});

test('a worker needs the database of those it computes for, and makes no secret', () => {
  const home = '/nowhere/that/can/be/made';
  const databaseUrl = 'postgres://here/pathboard';
  const env = { PATHBOARD_HOME: home, DATABASE_URL: databaseUrl, WORKER_NAME: 'rack 3', WORKER_LEASE: '2' };
  expect(readWorkerConfig(env as unknown as NodeJS.ProcessEnv, '/')).toEqual({
    home,
    host: '127.0.0.1',
    port: null,
    logLevel: 'info',
    workerName: 'rack 3',
    workerLease: 2000,
    databaseUrl,
  });
  const wrong = (env: Record<string, string>) => {
    try {
      readWorkerConfig(env as NodeJS.ProcessEnv, '/');
    } catch (error) {
      return (error as Error).message.split('\n');
    }
    return [];
  };
  expect(wrong({})).toEqual(['DATABASE_URL: expected the PostgreSQL of the servers whose analyses this worker computes, got nothing']);
  expect(wrong({ DATABASE_URL: 'mysql://x/y', WORKER_LEASE: '0', WORKER_NAME: 'a\nb' })).toEqual([
    'DATABASE_URL: expected a URL that begins with postgres:// or postgresql://, got one that begins with mysql:',
    'WORKER_NAME: expected at most 64 printable ASCII characters, got "a\\nb"',
    'WORKER_LEASE: expected 1 to 600, got "0"',
  ]);
});

test('a server that does not compute needs others that do', () => {
  expect(faultsOf({ PATHBOARD_ENGINE: 'off' })).toEqual([
    'PATHBOARD_ENGINE: expected on without DATABASE_URL (nobody else computes on the embedded database), got off',
  ]);
  expect(read({ PATHBOARD_ENGINE: 'off', DATABASE_URL: 'postgres://here/pathboard' }).engine).toBe('off');
});

test('a served database needs a Node that can share jobs on it', () => {
  expect(nodeFault('20.9.0')).toBe('Node: expected version 20.10 or later beside DATABASE_URL, got 20.9.0');
  expect(['20.10.0', '20.20.2', '22.1.0'].map(nodeFault)).toEqual([null, null, null]);
});
