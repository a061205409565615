import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Model, analyze, type ModelSpec, type TokenRequest } from '../lib/engine/index.ts';
import { noControl } from '../server/engine/testing.ts';
import { drawPaths, drawTokens, fresh, SEED } from './gpt2-small.ts';
import { growthFigure, type Curve, type Growth } from './growth-figure.ts';
import { time } from './machine.ts';

/** How the cost of each kind of work grows with layers, tokens, and the number of paths asked for. */

const AT = { layers: [2, 4, 8, 12, 16, 24], tokens: [16, 32, 64, 128, 256, 512], K: [1, 10, 100, 1000] } as const;
const USUAL = { layers: 12, tokens: 32, K: 100 };
const SVG = fileURLToPath(new URL('./growth.svg', import.meta.url));

interface Place {
  layers: number;
  tokens: number;
  K: number;
}

type Work = (model: Model, ask: Ask, place: Place) => Promise<unknown>;
type Ask = (request: Partial<TokenRequest> & Pick<TokenRequest, 'view'>) => ReturnType<typeof analyze>;

/** What is timed, and along which axes it is. */
const WORKS: readonly { name: string; axes: readonly Growth['axis'][]; run: Work }[] = [
  { name: 'forward', axes: ['layers', 'tokens'], run: (model, _ask, { tokens }) => model.logits([anew(model, tokens)]) },
  { name: 'every head apart', axes: ['layers', 'tokens'], run: (model, _ask, { tokens }) => model.clean(anew(model, tokens)) },
  { name: 'degree spectrum', axes: ['layers', 'tokens'], run: (_model, ask) => ask({ view: 'degrees' }) },
  { name: 'flow', axes: ['layers', 'tokens'], run: (_model, ask) => ask({ view: 'flow' }) },
  { name: 'attribution (EAP)', axes: ['layers', 'tokens'], run: (_model, ask) => ask({ view: 'attribution' }) },
  { name: 'top-K paths', axes: ['layers', 'tokens', 'K'], run: (_model, ask, { K }) => ask({ view: 'paths', top: K }) },
  {
    name: 'K path effects',
    axes: ['layers', 'tokens', 'K'],
    run: (model, ask, { K }) => ask({ view: 'path-effect', paths: drawPaths(model.spec, K, SEED) }),
  },
];

/** Times everything once warm; writes the figure beside this file. Takes minutes. */
export async function measureGrowth(model: Model): Promise<Growth[]> {
  const tables: Growth[] = [];
  for (const axis of ['layers', 'tokens', 'K'] as const) {
    const works = WORKS.filter(({ axes }) => axes.includes(axis));
    const curves: Curve[] = works.map(({ name }) => ({ name, values: [] }));
    for (const size of AT[axis]) {
      const place = { ...USUAL, [axis]: size };
      const sized = withLayers(model, place.layers);
      const ask = askOn(sized, place.tokens);
      await ask({ view: 'direct' });
      for (const [index, { run }] of works.entries()) {
        const { median } = await time(place.tokens > 128 || axis === 'K' ? 1 : 3, () => run(sized, ask, place));
        curves[index]!.values.push(median);
      }
      await sized.close();
    }
    tables.push({ axis, at: AT[axis], curves });
  }
  await writeFile(SVG, growthFigure(tables));
  return tables;
}

export function printGrowth(tables: readonly Growth[]): void {
  for (const { axis, at, curves } of tables) {
    console.log(`\n${`ms by ${axis}`.padEnd(24)}${at.map((size) => String(size).padStart(9)).join('')}`);
    for (const { name, values } of curves) {
      console.log(`${name.padEnd(24)}${values.map((value) => value.toFixed(value < 100 ? 1 : 0).padStart(9)).join('')}`);
    }
  }
}

function askOn(model: Model, length: number): Ask {
  const tokens = draw(model, length);
  const counterfactualTokens = drawTokens(model.spec.vocabulary, length, SEED + 1);
  return (request) => analyze(model, { model: model.name, tokens, counterfactualTokens, target: 1, foil: 2, ...request }, noControl);
}

function draw(model: Model, length: number): number[] {
  return drawTokens(model.spec.vocabulary, length, SEED);
}

/** Tokens that no run has been kept for. */
function anew(model: Model, length: number): number[] {
  return fresh(model.spec.vocabulary, draw(model, length));
}

/** The same model with fewer layers, or with more by going through its layers again. */
export function withLayers({ name, hash, spec, runtime }: Model, layers: number): Model {
  const cycle = <T>(items: readonly T[]) => Array.from({ length: layers }, (_, layer) => items[layer % items.length]!);
  const weights = { ...spec.weights, layers: cycle(spec.weights.layers) };
  const sized: ModelSpec = { ...spec, layers, windows: cycle(spec.windows), weights };
  return new Model(`${name}, ${layers} layers`, hash, sized, runtime);
}
