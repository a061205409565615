import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename } from 'node:path';
import {
  EngineError,
  GENERATORS,
  GRANULARITIES,
  REFERENCES,
  VIEWS,
  examplesOf,
  parsePromptSet,
  type AnalyzeRequest,
  type Answer,
  type Example,
  type PromptSet,
} from '../../lib/engine/index.ts';
import type { Run } from '../../lib/wire.ts';
import { linesOf } from '../cli-print.ts';
import { wantedOf } from './devices.ts';
import { lineOfDevice } from '../engine/device-line.ts';
import { createEngine } from '../engine/index.ts';
import type { WantedDevice } from '../engine/wanted-device.ts';
import { readCodec } from '../engine/model-folder.ts';
import type { RunningServer } from '../local.ts';
import { openModelFolder } from '../models.ts';
import { Refusal } from '../refusal.ts';
import { decimal, fromCaller, isOneOf, needed, oneOf, tokenList, wholeNumber, type Command, type Values } from './options.ts';
import { print, showProgress, untilInterrupted } from './output.ts';

export async function analyze({ home, words: [view], values }: Command): Promise<void> {
  const request = await requestOf(view, values);
  if (values.save) return saveRun(home, request, values);
  if (values.board !== undefined) throw new EngineError('bad-request', '--board', 'only with --save', 'no --save');
  const answer = await runAnalysis(home, request, wantedOf(values));
  print(answer, values, () => linesOf(answer));
}

/** One JSON object a line, as --prompts reads it. */
export async function prompts({ home, words: [name], values }: Command): Promise<void> {
  const examples = await drawPrompts(home, name, values);
  print(examples, values, () => examples.map((example) => JSON.stringify(example)));
}

function onProgress({ done, total, what }: { done: number; total: number; what: string }): void {
  showProgress(`${done} of ${total} ${what}`);
}

async function runAnalysis(home: string, request: AnalyzeRequest, wanted: WantedDevice): Promise<Answer> {
  const engine = createEngine({ home, threads: availableParallelism(), wanted });
  try {
    const device = wanted.device === 'cuda' ? await engine.device() : null;
    if (device?.provider === 'cpu') process.stderr.write(`engine: ${lineOfDevice(device)}\n`);
    return await untilInterrupted((signal) => engine.analyze(request, { signal, onProgress }));
  } finally {
    await engine.close();
  }
}

async function saveRun(home: string, request: AnalyzeRequest, values: Values): Promise<void> {
  const board = needed('--board', values.board, 'the id of a board (pathboard boards lists them)');
  const { through } = await import('./through.ts');
  const run = await untilInterrupted((signal) =>
    through(
      home,
      (server) => runThere(server, board, request, signal),
      async (app, owner) => {
        const { authorise } = await import('../access.ts');
        const { runOnBoard } = await import('../runs.ts');
        await authorise(app, owner, 'board.evidence', board);
        return runOnBoard(app, owner, board, request, { signal, onProgress });
      },
    ),
  );
  print(run, values, () => [...linesOf(run.answer), `kept as run ${run.id} of board ${board}`]);
}

async function runThere(server: RunningServer, board: string, request: AnalyzeRequest, signal: AbortSignal): Promise<Run> {
  for await (const event of server.events(`/api/boards/${encodeURIComponent(board)}/runs`, request, signal)) {
    if (event.type === 'progress') onProgress(event);
    if (event.type === 'run') return event.run;
    if (event.type === 'error') {
      const { code, message } = event.error;
      throw Object.assign(new Error(message), { isRefusal: true, code });
    }
  }
  throw new Refusal('unavailable', 'server', 'a run', 'an answer that broke off');
}

async function requestOf(view: string | undefined, values: Values): Promise<AnalyzeRequest> {
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
    positions: values.positions,
    dictionaries: values.dictionary,
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
  const text = await readFile(fromCaller(file), 'utf8').catch((cause: Error) => {
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
