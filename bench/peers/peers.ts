import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Other tools for the same questions, each in a Python environment of its own, made when first needed. */

const HERE = fileURLToPath(new URL('./', import.meta.url));
const CACHE = fileURLToPath(new URL('../.cache/peers/', import.meta.url));
/** The versions pinned in NAME.requirements.txt are those for this one. */
const PYTHON = '3.11';
const STDERR_TAIL = 4000;

export type PeerWork = 'forward' | 'cache' | 'eap' | 'edge-patch' | 'path-effects';
export type PeerName = 'transformer-lens' | 'transformer-lens-2' | 'auto-circuit' | 'eap-ig';

interface Peer {
  /** NAME of NAME.requirements.txt and of the environment's folder */
  environment: 'transformer-lens' | 'auto-circuit';
  script: string;
  works: readonly PeerWork[];
}

export const PEERS: Readonly<Record<PeerName, Peer>> = {
  'transformer-lens': { environment: 'transformer-lens', script: 'transformer-lens.py', works: ['forward', 'cache', 'path-effects'] },
  'transformer-lens-2': { environment: 'auto-circuit', script: 'transformer-lens.py', works: ['forward', 'cache', 'path-effects'] },
  'auto-circuit': { environment: 'auto-circuit', script: 'auto-circuit.py', works: ['eap', 'edge-patch'] },
  'eap-ig': { environment: 'transformer-lens', script: 'eap-ig.py', works: ['eap'] },
};

/** The question, as far as the work asks for it. Names are those of lib/engine/names.ts; the position is the last one. */
export interface PeerSpec {
  /** config.json and model.safetensors of a GPT-2 */
  folder: string;
  threads: number;
  tokens: readonly number[];
  counterfactualTokens: readonly number[];
  target: number;
  foil: number;
  repeats: number;
  /** `cache`: heads whose outputs at the last position come back, for comparing */
  heads?: readonly string[];
  /** `edge-patch`: all edges with slots if left out */
  edges?: readonly string[];
  /** `path-effects` */
  paths?: readonly string[];
  /** `edge-patch`, `path-effects`: how many of them are timed, drawn uniformly with `seed`; all if left out */
  sample?: number;
  seed?: number;
  /** `eap`, `edge-patch`, `path-effects`: unembed the last position alone, which spares the peer most of the unembedding; true if left out */
  lastPositionOnly?: boolean;
}

/** Work that consists of many equal parts. Lists have one entry a repeat. */
export interface PeerSample {
  unit: 'edge' | 'path';
  timed: number;
  of: number;
  /** what is done once, before the first part */
  prepareMs: number[];
  msEach: number[];
  /** prepareMs + of × msEach */
  msAll: number[];
  /** timed < of, so that msAll is an extrapolation */
  extrapolated: boolean;
}

export interface PeerResult {
  peer: PeerName;
  work: PeerWork;
  versions: Record<string, string>;
  settings: Record<string, unknown>;
  /** by name of the edge or path; `target` and `foil` for logits; `a0.h1[17]` for channel 17 of a head's output */
  values: Map<string, number>;
  /** one entry a repeat, of the timed parts alone where there is a sample */
  ms: number[];
  /** the same work in other ways, explained in `notes` */
  also: Record<string, number[]>;
  sample: PeerSample | null;
  peakRssGiB: number;
  notes: string[];
}

export interface Comparison {
  count: number;
  largestDifference: number;
  /** the largest magnitude among ours */
  scale: number;
  tolerance: number;
  agree: boolean;
}

/** Makes the peer's environment unless it is there with the pinned versions; gives its Python. */
export async function setUpPeer(name: PeerName): Promise<string> {
  const { environment } = PEERS[name];
  const folder = join(CACHE, environment);
  const python = join(folder, 'bin', 'python');
  const requirements = join(HERE, `${environment}.requirements.txt`);
  const wanted = createHash('sha256')
    .update(await readFile(requirements))
    .digest('hex');
  const marker = join(folder, 'requirements.sha256');
  if ((await readFile(marker, 'utf8').catch(() => '')) === wanted) return python;
  await rm(folder, { recursive: true, force: true });
  await mkdir(CACHE, { recursive: true });
  await call(await findPython(), ['-m', 'venv', folder], process.env);
  await call(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--requirement', requirements], process.env);
  await writeFile(marker, wanted);
  return python;
}

/** Runs one piece of work in a process of the peer's. @throws Error with the end of what it wrote to standard error */
export async function runPeer(name: PeerName, work: PeerWork, spec: PeerSpec): Promise<PeerResult> {
  const { script, works } = PEERS[name];
  if (!works.includes(work)) throw new Error(`${name}: expected one of ${works.join(', ')}, got ${work}`);
  const python = await setUpPeer(name);
  const { folder, threads, ...question } = spec;
  const exchange = await mkdtemp(join(tmpdir(), 'pathboard-peer-'));
  const [asked, answered] = [join(exchange, 'spec.json'), join(exchange, 'out.json')];
  try {
    await writeFile(asked, JSON.stringify(question));
    const options = ['--folder', folder, '--threads', String(threads), '--spec', asked, '--out', answered];
    await call(python, [join(HERE, script), work, ...options], peerEnvironment(threads));
    const result = JSON.parse(await readFile(answered, 'utf8')) as Omit<PeerResult, 'values'> & { values: Record<string, number> };
    return { ...result, peer: name, values: new Map(Object.entries(result.values)) };
  } finally {
    await rm(exchange, { recursive: true, force: true });
  }
}

/**
 * Whether ours holds everything of theirs, to 1e-3 of the largest magnitude or to `rounding`, whichever is more: both sides compute in
 * float32. A small effect is the difference of two metrics and no more exact than those: give 1e-5 of the metric as its `rounding`.
 */
export function compareValues(ours: ReadonlyMap<string, number>, theirs: ReadonlyMap<string, number>, rounding = 0): Comparison {
  let largestDifference = 0;
  let scale = 0;
  for (const [name, value] of theirs) {
    const own = ours.get(name) ?? Number.NaN;
    const difference = Math.abs(own - value);
    // A value that is missing or not a number on either side is as different as can be.
    largestDifference = Math.max(largestDifference, Number.isNaN(difference) ? Infinity : difference);
    scale = Math.max(scale, Math.abs(own) || 0);
  }
  const tolerance = Math.max(1e-3 * scale, rounding);
  return { count: theirs.size, largestDifference, scale, tolerance, agree: theirs.size > 0 && largestDifference <= tolerance };
}

/** On the CPU, with so many threads, and without asking any server. */
function peerEnvironment(threads: number): NodeJS.ProcessEnv {
  const count = String(threads);
  return {
    ...process.env,
    OMP_NUM_THREADS: count,
    MKL_NUM_THREADS: count,
    OPENBLAS_NUM_THREADS: count,
    CUDA_VISIBLE_DEVICES: '',
    HF_HUB_OFFLINE: '1',
    TRANSFORMERS_OFFLINE: '1',
    HF_HUB_DISABLE_TELEMETRY: '1',
    WANDB_MODE: 'disabled',
    TOKENIZERS_PARALLELISM: 'false',
    TQDM_DISABLE: '1',
    PYTHONPYCACHEPREFIX: join(CACHE, 'pycache'),
  };
}

async function findPython(): Promise<string> {
  for (const candidate of [`python${PYTHON}`, 'python3']) {
    const right = await call(candidate, ['-c', `import sys; sys.exit('%d.%d' % sys.version_info[:2] != '${PYTHON}')`], process.env).then(
      () => true,
      () => false,
    );
    if (right) return candidate;
  }
  throw new Error(`peers: expected Python ${PYTHON} as python${PYTHON} or python3, found neither`);
}

function call(program: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
    let tail = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      tail = (tail + text).slice(-STDERR_TAIL);
    });
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(`${program} ${args.join(' ')}: expected exit code 0, got ${code ?? signal}\n${tail.trim()}`));
    });
  });
}
