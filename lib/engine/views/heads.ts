import { EngineError } from '../errors.ts';
import { headScoresGraph } from '../graphs/heads.ts';
import type { CleanRun } from '../model.ts';
import { checkNode, parseNode, printNode } from '../names.ts';
import type { Term } from '../request.ts';
import { slice, tensor } from '../runtime.ts';
import type { Asked, Outcome } from './view.ts';

const KINDS = ['previous', 'duplicate', 'induction'] as const;
type Kind = (typeof KINDS)[number];
/** Entries of all patterns of an answer. */
const PATTERN_NUMBERS = 4_000_000;

/**
 * Attention scores of every head, 0…1, from the run's own patterns A (rows are queries):
 * `previous` = mean over queries i ≥ 1 of A[i, i−1]; `duplicate` = mean, over queries whose token stood before, of
 * Σ A[i, j] over its earlier places j; `induction` = mean, over queries whose token stood before another, of Σ A[i, j]
 * over the places j < i right after its earlier ones. null where the prompt has no such query. `nodes` are heads whose
 * patterns are given as well. Tokens after the position that is read do not count. All heads are listed whatever `top`
 * says.
 * @throws EngineError `bad-name` for a node that is no head of the model, `bad-request` for patterns [S, S] of more than
 * 4,000,000 numbers together, both before the factorized run
 */
export async function headsView({ model, question, nodes }: Asked): Promise<Outcome> {
  const { spec } = model;
  const wanted = new Set(nodes.map((name) => headName(name, spec)));
  checkPatterns(wanted.size, question.tokens.length);
  const run = await model.clean(question.tokens);
  const keys = Object.fromEntries(KINDS.map((kind) => [kind, keysOf(kind, question.tokens)])) as Record<Kind, number[][]>;
  const { scores } = await model.run('head-scores', headScoresGraph, { patterns: run.patterns, weights: weightsOf(keys) });
  const missing = KINDS.filter((kind) => keys[kind].every((chosen) => chosen.length === 0));
  const terms: Term[] = [];
  for (let layer = 0; layer < spec.layers; layer++) {
    for (let head = 0; head < spec.heads; head++) {
      const name = printNode({ kind: 'head', layer, head });
      const at = (layer * spec.heads + head) * KINDS.length;
      const [previous, duplicate, induction] = KINDS.map((kind, index) => (missing.includes(kind) ? null : scores!.data[at + index]!)) as [
        number | null,
        number | null,
        number | null,
      ];
      terms.push({ name, previous, duplicate, induction, ...(wanted.has(name) && { pattern: patternOf(run, layer, head) }) });
    }
  }
  const notes = missing.map((kind) => `No query has a key to score for ${kind}.`);
  return { terms, ...(notes.length > 0 && { notes }) };
}

function headName(name: string, spec: Asked['model']['spec']): string {
  const node = parseNode(name);
  checkNode(node, spec, 'nodes');
  if (node.kind !== 'head') throw new EngineError('bad-name', 'nodes', 'heads, which have patterns', name);
  return name;
}

function checkPatterns(heads: number, length: number): void {
  const numbers = heads * length ** 2;
  if (numbers <= PATTERN_NUMBERS) return;
  const most = Math.floor(PATTERN_NUMBERS / length ** 2);
  const expected = `patterns of at most ${PATTERN_NUMBERS} numbers, heads × tokens², which is ${most} heads at ${length} tokens`;
  throw new EngineError('bad-request', 'nodes', expected, `${heads} heads, ${numbers} numbers`);
}

/** For each query the keys that count. */
function keysOf(kind: Kind, tokens: readonly number[]): number[][] {
  const places = tokens.map((_, index) => index);
  switch (kind) {
    case 'previous':
      return places.map((query) => (query === 0 ? [] : [query - 1]));
    case 'duplicate':
      return places.map((query) => places.filter((key) => key < query && tokens[key] === tokens[query]));
    case 'induction':
      return places.map((query) => places.filter((key) => key >= 1 && key < query && tokens[key - 1] === tokens[query]));
  }
}

/** 1 over the number of scored queries at each key that counts, [3, S, S]. */
function weightsOf(keys: Record<Kind, readonly number[][]>) {
  const length = keys.previous.length;
  const data = new Float32Array(KINDS.length * length * length);
  KINDS.forEach((kind, index) => {
    const scored = keys[kind].filter((chosen) => chosen.length > 0).length;
    keys[kind].forEach((chosen, query) => chosen.forEach((key) => (data[(index * length + query) * length + key] = 1 / scored)));
  });
  return tensor(data, [KINDS.length, length, length]);
}

function patternOf({ patterns, tokens }: CleanRun, layer: number, head: number): number[][] {
  const { data } = slice(slice(patterns, layer), head);
  const length = tokens.length;
  return Array.from({ length }, (_, query) => [...data.subarray(query * length, (query + 1) * length)]);
}
