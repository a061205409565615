import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, type ParseArgsConfig } from 'node:util';
import {
  EngineError,
  GENERATORS,
  GRANULARITIES,
  KIND_OF_VIEW,
  REFERENCES,
  VIEWS,
  examplesOf,
  isEngineError,
  parsePromptSet,
  type AnalyzeRequest,
  type Answer,
  type Example,
  type PromptSet,
} from '../lib/engine/index.ts';
import type { ModelSummary } from '../lib/wire.ts';
import { linesOf } from './cli-print.ts';
import { createEngine } from './engine/index.ts';
import { readCodec } from './engine/model-folder.ts';
import { makeHome } from './files.ts';
import { requestOwnerLink } from './local.ts';
import { importModel, listModels, openModelFolder } from './models.ts';
import { isRefusal } from './refusal.ts';

/** The `pathboard` command. With --json stdout is exactly one JSON value; a refusal is one line and exit code 2. */

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** npm runs scripts in the project's folder and says here where it was called. */
const CALLED_FROM = process.env['INIT_CWD'] ?? process.cwd();

const USAGE = `pathboard models [--json]
pathboard import DIR [--name NAME] [--json]
pathboard analyze VIEW --model NAME (--prompt TEXT | --tokens 1,2,3 | PROMPT SET) [options] [--json]
pathboard prompts GENERATOR --model NAME --count N [--seed N] [--json]
pathboard link

views       ${VIEWS.filter((view) => KIND_OF_VIEW[view] !== 'weights').join(', ')};
            of weights, without a prompt: ${VIEWS.filter((view) => KIND_OF_VIEW[view] === 'weights').join(', ')}
prompt set  --prompts FILE.jsonl | --generate GENERATOR --count N   every prompt is analysed, terms are means;
            a line of the file: {"clean": TEXT or [1,2,3], "counterfactual": ..., "target": X, "foil": X}
generators  ${GENERATORS.join(', ')}
question    --counterfactual TEXT | --counterfactual-tokens 1,2,4   --position N   --target X   --foil X|none   --no-special
terms       --top K   --max-degree K   --until-mass SHARE   --by-token   --granularity ${GRANULARITIES.join('|')}   --steps N
tests       --path P   --edge E   --ablate NODE (each repeatable)   --all-edges   --together
            --ablation ${REFERENCES.join('|')}   --reference-prompts FILE.jsonl (what mean and resample draw from)   --seed N
nodes       --node N (repeatable): units, the node to open; heads, those whose patterns are wanted; circuits, the head (one)
weights     --fold-norm
engine      --provider cpu
home        PATHBOARD_HOME, default .pathboard`;

const OPTIONS = {
  json: { type: 'boolean' },
  help: { type: 'boolean' },
  name: { type: 'string' },
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
  'no-special': { type: 'boolean' },
  provider: { type: 'string' },
} as const satisfies ParseArgsConfig['options'];

type Values = ReturnType<typeof parse>['values'];

function parse(args: string[]) {
  try {
    return parseArgs({ args, options: OPTIONS, allowPositionals: true, strict: true });
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const isValue = code === 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE';
    const expected = isValue ? 'a value that does not begin with a dash' : 'an option that pathboard knows';
    throw new EngineError('bad-request', 'command line', expected, message.split('\n')[0]!, { cause });
  }
}

async function main(args: string[]): Promise<void> {
  const { values, positionals } = parse(args);
  const [command, ...rest] = positionals;
  const home = resolve(process.env['PATHBOARD_HOME'] || resolve(ROOT, '.pathboard'));
  if (values.help || command === undefined) return write(USAGE);
  makeHome(home);
  switch (command) {
    case 'models':
      return printModels(await listModels(home), values);
    case 'import':
      return printModels(
        [await importModel(home, resolve(CALLED_FROM, needed('import', rest[0], 'a directory')), values.name)],
        values,
        true,
      );
    case 'analyze':
      return printAnswer(await runAnalysis(home, await requestOf(rest[0], values)), values);
    case 'prompts':
      return printPrompts(await drawPrompts(home, rest[0], values), values);
    case 'link':
      return printLink(await requestOwnerLink(home), values);
    default:
      throw new EngineError('bad-request', 'command', 'models, import, analyze, prompts or link', JSON.stringify(command));
  }
}

async function runAnalysis(home: string, request: AnalyzeRequest): Promise<Answer> {
  const engine = createEngine({ home, threads: availableParallelism() });
  const stop = new AbortController();
  const interrupt = () => stop.abort();
  process.once('SIGINT', interrupt);
  const onProgress = ({ done, total, what }: { done: number; total: number; what: string }) => {
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${done} of ${total} ${what}`);
  };
  try {
    return await engine.analyze(request, { signal: stop.signal, onProgress });
  } finally {
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
    process.removeListener('SIGINT', interrupt);
    await engine.close();
  }
}

async function requestOf(view: string | undefined, values: Values): Promise<AnalyzeRequest> {
  if (values.provider !== undefined && values.provider !== 'cpu') {
    throw new EngineError('unsupported', '--provider', 'cpu', JSON.stringify(values.provider));
  }
  if (!isOneOf(VIEWS, view)) {
    throw new EngineError('unknown-view', 'view', VIEWS.join(', '), view === undefined ? 'none' : JSON.stringify(view));
  }
  const request: AnalyzeRequest = {
    view,
    model: needed('--model', values.model, 'the name of a model'),
    prompt: values.prompt,
    tokens: tokenList('--tokens', values.tokens),
    prompts: await promptsOf(values),
    referencePrompts: await readPrompts('--reference-prompts', values['reference-prompts']),
    counterfactual: values.counterfactual,
    counterfactualTokens: tokenList('--counterfactual-tokens', values['counterfactual-tokens']),
    position: wholeNumber('--position', values.position),
    target: values.target,
    foil: values.foil,
    top: wholeNumber('--top', values.top),
    maxDegree: wholeNumber('--max-degree', values['max-degree']),
    paths: values.path,
    edges: values.edge,
    allEdges: values['all-edges'],
    together: values.together,
    ablate: values.ablate,
    nodes: values.node,
    granularity: oneOf('--granularity', GRANULARITIES, values.granularity),
    steps: wholeNumber('--steps', values.steps),
    seed: wholeNumber('--seed', values.seed),
    foldNorm: values['fold-norm'],
    ablation: oneOf('--ablation', REFERENCES, values.ablation),
    untilMass: decimal('--until-mass', values['until-mass']),
    byToken: values['by-token'],
    special: values['no-special'] ? false : undefined,
  };
  return Object.fromEntries(Object.entries(request).filter(([, value]) => value !== undefined)) as unknown as AnalyzeRequest;
}

async function promptsOf(values: Values): Promise<PromptSet | undefined> {
  const generator = oneOf('--generate', GENERATORS, values.generate);
  if (!generator) {
    if (values.count !== undefined) throw new EngineError('bad-request', '--count', 'only with --generate', 'no --generate');
    return readPrompts('--prompts', values.prompts);
  }
  if (values.prompts !== undefined) throw new EngineError('bad-request', '--prompts', 'a file or --generate', 'both');
  return { generator, count: countOf(values), ...(values.seed !== undefined && { seed: wholeNumber('--seed', values.seed)! }) };
}

async function readPrompts(where: string, file: string | undefined): Promise<PromptSet | undefined> {
  if (file === undefined) return undefined;
  const text = await readFile(resolve(CALLED_FROM, file), 'utf8').catch((cause: Error) => {
    throw new EngineError('bad-request', where, 'a readable file', cause.message, { cause });
  });
  return parsePromptSet(text, basename(file));
}

async function drawPrompts(home: string, name: string | undefined, values: Values): Promise<Example[]> {
  const generator = oneOf('generator', GENERATORS, needed('prompts', name, GENERATORS.join(', ')))!;
  const found = await openModelFolder(home, needed('--model', values.model, 'the name of a model'));
  const codec = found.hasTokenizer ? await readCodec(found.folder) : null;
  const seed = wholeNumber('--seed', values.seed) ?? 0;
  return examplesOf({ generator, count: countOf(values) }, 'prompts', codec, found.spec.vocabulary, seed);
}

function countOf(values: Values): number {
  return wholeNumber('--count', needed('--count', values.count, 'a number of prompts'))!;
}

function oneOf<T extends string>(where: string, known: readonly T[], given: string | undefined): T | undefined {
  if (given === undefined || isOneOf(known, given)) return given;
  throw new EngineError('bad-request', where, known.join(' or '), JSON.stringify(given));
}

function isOneOf<T extends string>(known: readonly T[], given: string | undefined): given is T {
  return known.some((one) => one === given);
}

function needed(where: string, value: string | undefined, expected: string): string {
  if (value === undefined) throw new EngineError('bad-request', where, expected, 'nothing');
  return value;
}

function wholeNumber(where: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^-?\d{1,15}$/.test(text)) throw new EngineError('bad-request', where, 'a whole number', JSON.stringify(text));
  return Number(text);
}

function decimal(where: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new EngineError('bad-request', where, 'a number', JSON.stringify(text));
  return value;
}

function tokenList(where: string, text: string | undefined): number[] | undefined {
  return text?.split(',').map((part) => {
    const token = wholeNumber(where, part.trim());
    if (token === undefined || token < 0) throw new EngineError('bad-tokens', where, 'token ids such as 1,2,3', JSON.stringify(text));
    return token;
  });
}

function printModels(models: ModelSummary[], values: Values, single = false): void {
  if (values.json) return write(JSON.stringify(single ? models[0] : models));
  for (const { name, family, layers, heads, dModel, vocabulary, context, hash, builtIn } of models) {
    const size = `${layers} layers × ${heads} heads, width ${dModel}, ${vocabulary} tokens, context ${context}`;
    write(`${name}  ${family}, ${size}, sha256 ${hash.slice(0, 12)}${builtIn ? ', built in' : ''}`);
  }
}

function printLink(link: string, values: Values): void {
  write(values.json ? JSON.stringify({ link }) : link);
}

/** One JSON object a line, as --prompts reads it. */
function printPrompts(examples: Example[], values: Values): void {
  if (values.json) return write(JSON.stringify(examples));
  for (const example of examples) write(JSON.stringify(example));
}

function printAnswer(answer: Answer, values: Values): void {
  if (values.json) return write(JSON.stringify(answer));
  for (const line of linesOf(answer)) write(line);
}

function write(line: string): void {
  process.stdout.write(`${line}\n`);
}

// Whoever reads our output may stop early, as `head` does.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

const args = process.argv.slice(2);
try {
  await main(args);
} catch (error) {
  const known = isEngineError(error) || isRefusal(error);
  const message = (error instanceof Error ? error.message : String(error)).replaceAll(/\s*\n\s*/g, ' ');
  process.stderr.write(`${message}\n`);
  if (args.includes('--json')) write(JSON.stringify({ error: { code: known ? error.code : 'internal', message } }));
  process.exitCode = known ? 2 : 1;
}
