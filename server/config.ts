import { randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { isLoopback } from './address.ts';
import { DEVICES, PRECISIONS, type WantedDevice } from './engine/wanted-device.ts';
import { inHome } from './files.ts';
import { originOf } from './origin.ts';
import { keptSecret } from './secret-file.ts';
import { StartError } from './start-error.ts';

/** Everything that is set from outside. Read once, at the start, from the environment. */
export interface Config {
  /** PATHBOARD_HOME: the embedded database, imported models, caches, secrets */
  home: string;
  /** HOST, PORT: where the server listens */
  host: string;
  port: number;
  /** PUBLIC_URL: the origin under which browsers reach the server; without a slash at its end */
  publicUrl: string;
  /** TRUSTED_PROXIES: how many reverse proxies stand before the server; 0 believes no X-Forwarded-For */
  trustedProxies: number;
  /** DATABASE_URL: a served Postgres; null for the embedded database */
  databaseUrl: string | null;
  /** REDIS_URL: how several instances tell each other; null where there is one */
  redisUrl: string | null;
  /** PATHBOARD_ENGINE: off where workers alone compute */
  engine: (typeof SWITCH)[number];
  /** WORKER_NAME: what this process is called among those that compute; the machine's name */
  workerName: string;
  /** WORKER_LEASE, there in seconds: milliseconds of silence after which others take what this process computes */
  workerLease: number;
  /** PATHBOARD_SECRET, or a file in home: signs session cookies */
  authSecret: string;
  /** what the `pathboard` command on this machine shows in place of a session */
  localSecret: string;
  /** GITHUB_CLIENT_ID and GITHUB_CLIENT_SECRET, GOOGLE_… */
  oauth: Partial<Record<Provider, { clientId: string; clientSecret: string }>>;
  /** SIGN_UP: who may make an account */
  signUp: (typeof SIGN_UPS)[number];
  /** METRICS_TOKEN: lets /metrics be read from elsewhere than this machine */
  metricsToken: string | null;
  /** RATE_LIMITS: off only where nobody else reaches the server */
  rateLimits: (typeof SWITCH)[number];
  /** LOG_LEVEL */
  logLevel: (typeof LEVELS)[number];
  /** HF_ENDPOINT, MODEL_HOSTS: where models may be imported from */
  modelEndpoint: string;
  modelHosts: string[];
  /** PATHBOARD_DEVICE, PATHBOARD_PRECISION: what this machine's engine computes with, where it can */
  wanted: WantedDevice;
  dev: boolean;
}

type Provider = 'github' | 'google';
const SIGN_UPS = ['open', 'invited'] as const;
const SWITCH = ['on', 'off'] as const;
const POSTGRES = ['postgres:', 'postgresql:'];
const LEVELS = ['fatal', 'error', 'warn', 'info', 'debug'] as const;
/** Variables of ours that carry the name; another one is most likely a slip. */
const OWN = ['PATHBOARD_HOME', 'PATHBOARD_SECRET', 'PATHBOARD_ENGINE', 'PATHBOARD_DEVICE', 'PATHBOARD_PRECISION'];
const LEASE = { default: 6, min: 1, max: 600 };
const SECRET_LENGTH = 32;
const TOKEN_LENGTH = 16;

/** For tests, and for what does not come from the environment. */
export function configOf(given: Partial<Config> & { home: string }): Config {
  const { host = '127.0.0.1', port = 3000 } = given;
  return {
    host,
    port,
    publicUrl: originOf(host, port),
    trustedProxies: 0,
    databaseUrl: null,
    redisUrl: null,
    engine: 'on',
    workerName: hostname(),
    workerLease: LEASE.default * 1000,
    authSecret: 'for tests alone: 32 characters or more',
    localSecret: 'for tests alone',
    oauth: {},
    signUp: 'invited',
    metricsToken: null,
    rateLimits: 'off',
    logLevel: 'warn',
    modelEndpoint: 'https://huggingface.co',
    modelHosts: ['huggingface.co'],
    wanted: { device: 'auto', precision: 'float32' },
    dev: false,
    ...given,
  };
}

/**
 * What the environment says. Throws one StartError that has a line for every fault. `root` is the folder of the
 * installation. Makes the secret that signs cookies where there is none yet.
 */
export function readConfig(env: NodeJS.ProcessEnv, root: string): Config {
  const read = new Reading(env);
  const home = resolve(read.text('PATHBOARD_HOME') ?? resolve(root, '.pathboard'));
  const host = read.host();
  const port = read.integer('PORT', 3000, { min: 0, max: 65_535 });
  const redisUrl = read.url('REDIS_URL', ['redis:', 'rediss:']);
  const modelEndpoint = read.origin('HF_ENDPOINT') ?? 'https://huggingface.co';
  const given = {
    home,
    host,
    port,
    publicUrl: read.origin('PUBLIC_URL') ?? originOf(host, port),
    trustedProxies: read.integer('TRUSTED_PROXIES', 0, { min: 0, max: 10 }),
    databaseUrl: read.url('DATABASE_URL', POSTGRES),
    redisUrl,
    engine: read.choice('PATHBOARD_ENGINE', SWITCH, 'on'),
    ...read.worker(),
    oauth: { ...read.provider('github', 'GITHUB'), ...read.provider('google', 'GOOGLE') },
    signUp: read.choice('SIGN_UP', SIGN_UPS, 'invited'),
    metricsToken: read.secret('METRICS_TOKEN', TOKEN_LENGTH),
    rateLimits: read.choice('RATE_LIMITS', SWITCH, 'on'),
    logLevel: read.choice('LOG_LEVEL', LEVELS, 'info'),
    modelEndpoint,
    modelHosts: read.hosts('MODEL_HOSTS') ?? [new URL(modelEndpoint).host],
    wanted: {
      device: read.choice('PATHBOARD_DEVICE', DEVICES, 'auto'),
      precision: read.choice('PATHBOARD_PRECISION', PRECISIONS, 'float32'),
    },
    dev: env['NODE_ENV'] === 'development',
  };
  const authSecret = read.secret('PATHBOARD_SECRET', SECRET_LENGTH);
  checkTogether(given, authSecret, read);
  if (read.faults.length > 0) throw new StartError(read.faults.join('\n'));
  return { ...given, authSecret: authSecret ?? inHome(home, () => keptSecret(home)), localSecret: randomBytes(32).toString('base64url') };
}

/** What a process needs that computes for others and serves nobody. */
export type WorkerConfig = Pick<Config, 'home' | 'host' | 'logLevel' | 'workerName' | 'workerLease'> & {
  databaseUrl: string;
  /** where it says how it is; null where PORT is not set */
  port: number | null;
};

/** As {@link readConfig}, for `npm run worker`. Makes no secret: a worker signs nothing. */
export function readWorkerConfig(env: NodeJS.ProcessEnv, root: string): WorkerConfig {
  const read = new Reading(env);
  const databaseUrl = read.url('DATABASE_URL', POSTGRES);
  const config = {
    home: resolve(read.text('PATHBOARD_HOME') ?? resolve(root, '.pathboard')),
    host: read.host(),
    port: read.text('PORT') === null ? null : read.integer('PORT', 0, { min: 0, max: 65_535 }),
    logLevel: read.choice('LOG_LEVEL', LEVELS, 'info'),
    ...read.worker(),
  };
  if (read.text('DATABASE_URL') === null) {
    read.faults.push('DATABASE_URL: expected the PostgreSQL of the servers whose analyses this worker computes, got nothing');
  }
  const old = nodeFault(process.versions.node);
  if (old !== null) read.faults.push(old);
  if (databaseUrl === null || read.faults.length > 0) throw new StartError(read.faults.join('\n'));
  return { ...config, databaseUrl };
}

/** What shares jobs on a served database reads JSON as a module, which Node learnt a little later than the rest needs. */
export function nodeFault(version: string): string | null {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isOld = major < 20 || (major === 20 && minor < 10);
  return isOld ? `Node: expected version 20.10 or later beside DATABASE_URL, got ${version}` : null;
}

/** What each variable allows alone and not beside the others. */
function checkTogether(config: Omit<Config, 'authSecret' | 'localSecret'>, authSecret: string | null, { env, faults }: Reading): void {
  const { host, port, databaseUrl, redisUrl, rateLimits } = config;
  const isPublic = !isLoopback(host);
  const isSet = (name: string) => Boolean(env[name]);
  if (isPublic && port === 0 && env['PORT'] === '0') faults.push(`PORT: expected 1 to 65535 beside HOST ${host}, got 0`);
  if (['0.0.0.0', '::'].includes(host) && !isSet('PUBLIC_URL')) {
    faults.push(`PUBLIC_URL: expected the origin under which browsers reach the server (HOST ${host} names none), got nothing`);
  }
  if (isPublic && rateLimits === 'off') faults.push(`RATE_LIMITS: expected on beside HOST ${host}, which others reach, got off`);
  const old = databaseUrl === null ? null : nodeFault(process.versions.node);
  if (old !== null) faults.push(old);
  if (config.engine === 'off' && databaseUrl === null && !isSet('DATABASE_URL')) {
    faults.push('PATHBOARD_ENGINE: expected on without DATABASE_URL (nobody else computes on the embedded database), got off');
  }
  if (redisUrl !== null && databaseUrl === null && !isSet('DATABASE_URL')) {
    faults.push(
      'DATABASE_URL: expected one beside REDIS_URL (instances share a database; the embedded one belongs to one process), got nothing',
    );
  }
  if (redisUrl !== null && authSecret === null && !isSet('PATHBOARD_SECRET')) {
    faults.push('PATHBOARD_SECRET: expected one beside REDIS_URL (instances must know the cookies that another one signed), got nothing');
  }
}

/** The same server on the port that the system chose. */
export function onPort(config: Config, port: number): Config {
  const isDefault = config.publicUrl === originOf(config.host, config.port);
  return { ...config, port, publicUrl: isDefault ? originOf(config.host, port) : config.publicUrl };
}

/** What is allowed and yet most likely not meant; a line each. */
export function warningsOf(env: NodeJS.ProcessEnv, { host, publicUrl }: Pick<Config, 'host' | 'publicUrl'>): string[] {
  const unknown = Object.keys(env).filter((name) => name.startsWith('PATHBOARD_') && !OWN.includes(name));
  const isClear = publicUrl.startsWith('http:') && (!isLoopback(host) || !isLoopback(new URL(publicUrl).hostname));
  return [
    ...unknown.sort().map((name) => `${name}: expected one of ${OWN.join(', ')}, got a name that means nothing here`),
    ...(isClear ? [`PUBLIC_URL: expected https, got ${publicUrl}: passwords and cookies travel readable to whoever is in between`] : []),
  ];
}

/** A database's or Redis' URL without what signs in there. */
export function withoutSecrets(url: string): string {
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`;
}

/** Reads variable after variable and keeps what is wrong with them. A value that may be secret is never repeated. */
class Reading {
  readonly faults: string[] = [];

  constructor(readonly env: NodeJS.ProcessEnv) {}

  /** Set to nothing counts as not set. */
  text(name: string): string | null {
    return this.env[name]?.trim() || null;
  }

  host(): string {
    const given = this.text('HOST') ?? '127.0.0.1';
    const host = given.replaceAll(/[[\]]/g, '').toLowerCase();
    const isName = /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(host) && !/^[\d.]+$/.test(host);
    if (isIP(host) === 0 && !isName) return this.fault('HOST', 'an address or a name to listen on', quote(given), '127.0.0.1');
    return host;
  }

  integer(name: string, otherwise: number, { min, max }: { min: number; max: number }): number {
    const given = this.text(name);
    if (given === null) return otherwise;
    if (/^\d{1,9}$/.test(given) && Number(given) >= min && Number(given) <= max) return Number(given);
    return this.fault(name, `${min} to ${max}`, quote(given), otherwise);
  }

  choice<T extends string>(name: string, choices: readonly T[], otherwise: T): T {
    const given = this.text(name);
    if (given === null) return otherwise;
    return choices.find((choice) => choice === given) ?? this.fault(name, choices.join(', '), quote(given), otherwise);
  }

  secret(name: string, shortest: number): string | null {
    const given = this.text(name);
    if (given === null || given.length >= shortest) return given;
    return this.fault(name, `at least ${shortest} characters`, `${given.length}`, null);
  }

  url(name: string, protocols: string[]): string | null {
    const given = this.text(name);
    if (given === null) return null;
    const url = URL.canParse(given) ? new URL(given) : null;
    const expected = `a URL that begins with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`;
    if (!url) return this.fault(name, expected, 'something else', null);
    if (!protocols.includes(url.protocol)) return this.fault(name, expected, `one that begins with ${url.protocol}`, null);
    return url.hostname === '' && url.search === '' ? this.fault(name, 'a URL that names a host', 'one without', null) : given;
  }

  origin(name: string): string | null {
    const given = this.text(name);
    if (given === null) return null;
    const url = URL.canParse(given) ? new URL(given) : null;
    const isSecret = url !== null && (url.username !== '' || url.password !== '');
    const isBare = url !== null && `${url.pathname}${url.search}${url.hash}` === '/' && !isSecret;
    if (isBare && ['http:', 'https:'].includes(url.protocol)) return url.origin;
    return this.fault(name, 'an origin such as https://board.example.org', isSecret ? 'one with a password in it' : quote(given), null);
  }

  hosts(name: string): string[] | null {
    const given = this.text(name);
    if (given === null) return null;
    const hosts = given.split(',').map((host) => host.trim().toLowerCase());
    const wrong = hosts.find((host) => !/^(\*\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?$/.test(host));
    return wrong === undefined ? hosts : this.fault(name, 'names of hosts, or *.name, with commas between them', quote(wrong), null);
  }

  worker(): Pick<Config, 'workerName' | 'workerLease'> {
    const name = this.text('WORKER_NAME') ?? hostname();
    const isShort = /^[\x20-\x7e]{1,64}$/.test(name);
    return {
      workerName: isShort ? name : this.fault('WORKER_NAME', 'at most 64 printable ASCII characters', quote(name), ''),
      workerLease: 1000 * this.integer('WORKER_LEASE', LEASE.default, LEASE),
    };
  }

  provider(provider: Provider, prefix: string): Config['oauth'] {
    const [clientId, clientSecret] = [this.text(`${prefix}_CLIENT_ID`), this.text(`${prefix}_CLIENT_SECRET`)];
    if (clientId !== null && clientSecret !== null) return { [provider]: { clientId, clientSecret } };
    if (clientId === null && clientSecret === null) return {};
    const [missing, set] = clientId === null ? ['ID', 'SECRET'] : ['SECRET', 'ID'];
    return this.fault(`${prefix}_CLIENT_${missing}`, `one beside ${prefix}_CLIENT_${set}`, 'nothing', {});
  }

  private fault<T>(name: string, expected: string, got: string, otherwise: T): T {
    this.faults.push(`${name}: expected ${expected}, got ${got}`);
    return otherwise;
  }
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 100));
}
