import { parseArgs, type ParseArgsConfig } from 'node:util';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EngineError, GENERATORS, GRANULARITIES, KIND_OF_VIEW, REFERENCES, VIEWS } from '../../lib/engine/index.ts';
import { ROLES } from '../../lib/roles.ts';
import { exportFormat } from '../../lib/wire.ts';

/** What may stand on the command line, and how it is read. */

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** npm runs scripts in the project's folder and says here where it was called. */
const CALLED_FROM = process.env['INIT_CWD'] ?? process.cwd();

export const USAGE = `pathboard models [--json]
pathboard import DIR|OWNER/NAME[@REVISION] [--name NAME] [--json]
pathboard dictionary import DIR --model NAME [--name NAME] [--json]
pathboard dictionary list [--model NAME] [--json]
pathboard dictionary delete NAME [--json]
pathboard features --model NAME --dictionary NAME (--prompt TEXT | --tokens 1,2,3) [--path P] [options] [--json]
pathboard analyze VIEW --model NAME (--prompt TEXT | --tokens 1,2,3 | PROMPT SET) [options] [--save --board ID] [--json]
pathboard prompts GENERATOR --model NAME --count N [--seed N] [--json]

pathboard workers [--json]

pathboard boards [--json]
pathboard invite BOARD [--role ${ROLES.slice(1).join('|')}] [--days N] [--uses N] [--json]
pathboard export BOARD --format F [--json]
pathboard import-graph FILE --board ID [--json]
pathboard audit [--workspace ID] [--before N] [--json]
pathboard link [--json]
pathboard password [--email ADDRESS] [--json]

pathboard backup FILE [--with-models] [--force] [--json]
pathboard restore FILE [--json]
pathboard move-to-postgres [URL] [--json]

models      import copies a folder, or fetches config, safetensors and tokenizer from a Hugging Face hub; Ctrl-C stops it, and what
            was fetched until then is kept for the next one. --revision R is the same as @R
views       ${VIEWS.filter((view) => KIND_OF_VIEW[view] !== 'weights').join(', ')};
            of weights, without a prompt: ${VIEWS.filter((view) => KIND_OF_VIEW[view] === 'weights').join(', ')}
prompt set  --prompts FILE.jsonl | --generate GENERATOR --count N   every prompt is analysed, terms are means;
            a line of the file: {"clean": TEXT or [1,2,3], "counterfactual": ..., "target": X, "foil": X}
generators  ${GENERATORS.join(', ')}
question    --counterfactual TEXT | --counterfactual-tokens 1,2,4   --position N   --target X   --foil X|none   --no-special
terms       --top K   --max-degree K   --until-mass SHARE   --by-token   --positions (of flow)   --granularity ${GRANULARITIES.join('|')}   --steps N
tests       --path P   --edge E   --ablate NODE (each repeatable)   --all-edges   --together
            --ablation ${REFERENCES.join('|')}   --reference-prompts FILE.jsonl (what mean and resample draw from)   --seed N
nodes       --node N (repeatable): units, the node to open; heads, those whose patterns are wanted; circuits, the head (one)
weights     --fold-norm
dictionary  of sparse features, in SAELens' layout (cfg.json, sae_weights.safetensors), of one model; --dictionary NAME (repeatable, one
            a layer) for the views of features: features = analyze features; --node f2.17 (repeatable); --ablate f2.17
engine      --provider auto|cpu|cuda (PATHBOARD_DEVICE)   --precision float32|float16 (PATHBOARD_PRECISION; matrix products, on CUDA alone);
            devices tries it out and says why it is not CUDA
save        --save --board ID keeps the answer as a run of the board; it then prints that run
workers     who computes: the servers and workers of this database, with devices and models
boards      what the owner of this installation sees and may do; --uses is unlimited unless given, --days is 30, --role is editor
export      for other tools, to standard output: ${exportFormat.options.join(', ')}
import-graph  an attribution graph (circuit-tracer, Neuronpedia), an EAP-IG graph, or web annotations; says what it left out
password    of the owner, typed, read from standard input, or in PATHBOARD_PASSWORD; signs the owner out everywhere
backup      everything but sessions and open links, as of one moment, also of a running server; models are named, and in it
            with --with-models; --force writes over FILE
restore     verifies FILE, then puts its database in the place of the present one, which is kept; with DATABASE_URL, into an
            empty Postgres. The server must be stopped
move        copies everything into an empty Postgres, at URL or DATABASE_URL. The server must be stopped
settings    PATHBOARD_HOME (.pathboard), DATABASE_URL, HF_ENDPOINT, HF_TOKEN, MODEL_HOSTS, MODEL_LIMIT_GB (50)

With --json standard output is one JSON value. A refusal is one line on standard error, with exit code 2.`;

const OPTIONS = {
  json: { type: 'boolean' },
  help: { type: 'boolean' },
  name: { type: 'string' },
  revision: { type: 'string' },
  model: { type: 'string' },
  prompt: { type: 'string' },
  tokens: { type: 'string' },
  prompts: { type: 'string' },
  generate: { type: 'string' },
  count: { type: 'string' },
  'reference-prompts': { type: 'string' },
  counterfactual: { type: 'string' },
  'counterfactual-tokens': { type: 'string' },
  position: { type: 'string' },
  target: { type: 'string' },
  foil: { type: 'string' },
  top: { type: 'string' },
  'max-degree': { type: 'string' },
  path: { type: 'string', multiple: true },
  edge: { type: 'string', multiple: true },
  'all-edges': { type: 'boolean' },
  ablate: { type: 'string', multiple: true },
  node: { type: 'string', multiple: true },
  together: { type: 'boolean' },
  granularity: { type: 'string' },
  steps: { type: 'string' },
  seed: { type: 'string' },
  'fold-norm': { type: 'boolean' },
  ablation: { type: 'string' },
  'until-mass': { type: 'string' },
  'by-token': { type: 'boolean' },
  positions: { type: 'boolean' },
  dictionary: { type: 'string', multiple: true },
  'no-special': { type: 'boolean' },
  provider: { type: 'string' },
  precision: { type: 'string' },
  save: { type: 'boolean' },
  board: { type: 'string' },
  role: { type: 'string' },
  days: { type: 'string' },
  uses: { type: 'string' },
  workspace: { type: 'string' },
  before: { type: 'string' },
  email: { type: 'string' },
  format: { type: 'string' },
  'with-models': { type: 'boolean' },
  force: { type: 'boolean' },
} as const satisfies ParseArgsConfig['options'];

export type Values = ReturnType<typeof parse>['values'];

/** A command, about to be executed. */
export interface Command {
  home: string;
  /** what stands behind the command's name */
  words: readonly string[];
  values: Values;
}

export function parse(args: string[]) {
  try {
    return parseArgs({ args, options: OPTIONS, allowPositionals: true, strict: true });
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const isValue = code === 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE';
    const expected = isValue ? 'a value that does not begin with a dash' : 'an option that pathboard knows';
    throw new EngineError('bad-request', 'command line', expected, message.split('\n')[0]!, { cause });
  }
}

/** A path as it was meant where the command was called. */
export function fromCaller(path: string): string {
  return resolve(CALLED_FROM, path);
}

export function needed(where: string, value: string | undefined, expected: string): string {
  if (value === undefined) throw new EngineError('bad-request', where, expected, 'nothing');
  return value;
}

export function oneOf<T extends string>(where: string, known: readonly T[], given: string | undefined): T | undefined {
  if (given === undefined || isOneOf(known, given)) return given;
  throw new EngineError('bad-request', where, known.join(' or '), JSON.stringify(given));
}

export function isOneOf<T extends string>(known: readonly T[], given: string | undefined): given is T {
  return known.some((one) => one === given);
}

export function wholeNumber(where: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^-?\d{1,15}$/.test(text)) throw new EngineError('bad-request', where, 'a whole number', JSON.stringify(text));
  return Number(text);
}

export function decimal(where: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new EngineError('bad-request', where, 'a number', JSON.stringify(text));
  return value;
}

export function tokenList(where: string, text: string | undefined): number[] | undefined {
  return text?.split(',').map((part) => {
    const token = wholeNumber(where, part.trim());
    if (token === undefined || token < 0) throw new EngineError('bad-tokens', where, 'token ids such as 1,2,3', JSON.stringify(text));
    return token;
  });
}
