import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, type ParseArgsConfig } from 'node:util';
import { EngineError, REFERENCES, VIEWS, isEngineError, type AnalyzeRequest, type Answer, type View } from '../lib/engine/index.ts';
import type { ModelSummary } from '../lib/wire.ts';
import { createEngine } from './engine/index.ts';
import { makeHome } from './files.ts';
import { requestOwnerLink } from './local.ts';
import { importModel, listModels } from './models.ts';
import { isRefusal } from './refusal.ts';

/** The `pathboard` command. With --json stdout is exactly one JSON value; a refusal is one line and exit code 2. */

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** npm runs scripts in the project's folder and says here where it was called. */
const CALLED_FROM = process.env['INIT_CWD'] ?? process.cwd();

const USAGE = `pathboard models [--json]
pathboard import DIR [--name NAME] [--json]
pathboard analyze VIEW --model NAME (--prompt TEXT | --tokens 1,2,3) [options] [--json]
pathboard link

views    ${VIEWS.join(', ')}
options  --counterfactual TEXT | --counterfactual-tokens 1,2,4   --position N   --target X   --foil X|none
         --top K   --max-degree K   --path P (repeatable)   --ablate NODE (repeatable)   --together
         --ablation ${REFERENCES.join('|')}   --until-mass SHARE   --by-token   --no-special
home     PATHBOARD_HOME, default .pathboard`;

const OPTIONS = {
  json: { type: 'boolean' },
  help: { type: 'boolean' },
  name: { type: 'string' },
  model: { type: 'string' },
  prompt: { type: 'string' },
  tokens: { type: 'string' },
  counterfactual: { type: 'string' },
  'counterfactual-tokens': { type: 'string' },
  position: { type: 'string' },
  target: { type: 'string' },
  foil: { type: 'string' },
  top: { type: 'string' },
  'max-degree': { type: 'string' },
  path: { type: 'string', multiple: true },
  ablate: { type: 'string', multiple: true },
  together: { type: 'boolean' },
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
    throw new EngineError('bad-request', 'command line', 'an option that pathboard knows', (cause as Error).message, { cause });
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
      return printAnswer(await runAnalysis(home, requestOf(rest[0], values)), values);
    case 'link':
      return printLink(await requestOwnerLink(home), values);
    default:
      throw new EngineError('bad-request', 'command', 'models, import, analyze or link', JSON.stringify(command));
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

function requestOf(view: string | undefined, values: Values): AnalyzeRequest {
  if (!VIEWS.includes(view as View))
    throw new EngineError('unknown-view', 'view', VIEWS.join(', '), view === undefined ? 'none' : JSON.stringify(view));
  if (values.ablation !== undefined && !REFERENCES.some((reference) => reference === values.ablation)) {
    throw new EngineError('bad-request', '--ablation', REFERENCES.join(' or '), JSON.stringify(values.ablation));
  }
  if (values.provider !== undefined && values.provider !== 'cpu') {
    throw new EngineError('unsupported', '--provider', 'cpu', JSON.stringify(values.provider));
  }
  const request: AnalyzeRequest = {
    view: view as View,
    model: needed('--model', values.model, 'the name of a model'),
    prompt: values.prompt,
    tokens: tokenList('--tokens', values.tokens),
    counterfactual: values.counterfactual,
    counterfactualTokens: tokenList('--counterfactual-tokens', values['counterfactual-tokens']),
    position: wholeNumber('--position', values.position),
    target: values.target,
    foil: values.foil,
    top: wholeNumber('--top', values.top),
    maxDegree: wholeNumber('--max-degree', values['max-degree']),
    paths: values.path,
    together: values.together,
    ablate: values.ablate,
    ablation: values.ablation as AnalyzeRequest['ablation'],
    untilMass: decimal('--until-mass', values['until-mass']),
    byToken: values['by-token'],
    special: values['no-special'] ? false : undefined,
  };
  return Object.fromEntries(Object.entries(request).filter(([, value]) => value !== undefined)) as unknown as AnalyzeRequest;
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

function printAnswer(answer: Answer, values: Values): void {
  if (values.json) return write(JSON.stringify(answer));
  const shown = (token: number, text: string | undefined) => (text === undefined ? String(token) : `${JSON.stringify(text)} (${token})`);
  const against = answer.foil === null ? '' : ` against ${shown(answer.foil, answer.foilText)}`;
  write(
    `${answer.view} (${answer.kind}) of ${answer.model.name} at position ${answer.position}: ${shown(answer.target, answer.targetText)}${against}`,
  );
  write(`metric ${answer.metric}`);
  for (const term of answer.terms) {
    const value = term.value ?? `${term.logit}  ${term.probability}`;
    write(`${String(value).padStart(24)}  ${term.name}${term.text === undefined ? '' : `  ${JSON.stringify(term.text)}`}`);
  }
  if (answer.remainder !== undefined) write(`${String(answer.remainder).padStart(24)}  remainder`);
  if (answer.error !== undefined) write(`identity error ${answer.error}`);
  if (answer.search) write(`search ${answer.search}, largest unopened ${answer.largestUnopened}`);
  for (const note of answer.notes) write(note);
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
