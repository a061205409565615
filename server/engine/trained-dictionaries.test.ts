import { existsSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  Dictionary,
  analyze,
  type Answer,
  type DictionarySpec,
  type DictionaryStore,
  type Model,
  type TokenRequest,
} from '../../lib/engine/index.ts';
import { readDictionaryFolder } from './dictionary-folder.ts';
import { loadModel, noControl, runtimeOf } from './testing.ts';

/** The dictionaries trained on gpt-4l, against what the script that trained them wrote on their cards. */

const FOLDER = process.env['TRAINED_DICTIONARIES'] ?? fileURLToPath(new URL('../../bench/train/dictionaries/', import.meta.url));
const MODEL = process.env['TRAINED_MODEL'] ?? fileURLToPath(new URL('../../public/models/gpt-4l/', import.meta.url));
const isThere = existsSync(FOLDER) && existsSync(MODEL);
if (!isThere) process.stderr.write(`no trained dictionaries at ${FOLDER}: their tests skip\n`);
const names = isThere ? readdirSync(FOLDER, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : [])) : [];

interface Card {
  /** features that are active at the last position, with their activations */
  sample: { tokens: number[]; last_position: [number, number][] };
}

let model: Model;
const specs = new Map<string, DictionarySpec>();

function store({ spec }: Pick<Model, 'spec'>): DictionaryStore {
  const opened = new Map<string, Promise<Dictionary>>();
  const open = async (name: string) => {
    const read = await readDictionaryFolder(join(FOLDER, name), spec);
    specs.set(name, read.spec);
    return new Dictionary(name, name, read.spec, await runtimeOf(join(FOLDER, name), 1));
  };
  return {
    open: (name) => opened.set(name, opened.get(name) ?? open(name)).get(name)!,
    close: async () => void (await Promise.all([...opened.values()].map(async (one) => (await one).close()))),
  };
}

beforeAll(async () => {
  if (isThere) model = await loadModel(MODEL, 1, store);
});
afterAll(() => model?.close());

const ask = (name: string, tokens: number[], request: Partial<TokenRequest>): Promise<Answer> =>
  analyze(model, { view: 'features', model: 'gpt-4l', tokens, dictionaries: [name], ...request } as TokenRequest, noControl);
const massOf = ({ terms }: Answer) => terms.reduce((sum, { value }) => sum + Math.abs(value!), 0);

describe.skipIf(!isThere).each(names.length > 0 ? names : ['none'])('%s', (name) => {
  test('is active where its training says, by as much', async () => {
    const { sample } = JSON.parse(await readFile(join(FOLDER, name, 'card.json'), 'utf8')) as Card;
    await ask(name, sample.tokens, { top: 1 });
    const { layer, width } = specs.get(name)!;
    const wanted = new Map(sample.last_position);
    const most = Math.max(...wanted.values());
    for (let from = 0; from < width; from += 200) {
      const nodes = Array.from({ length: Math.min(200, width - from) }, (_, index) => `f${layer}.${from + index}`);
      const { terms } = await ask(name, sample.tokens, { nodes, byToken: true });
      const found = new Map(terms.map((term) => [term.name, term.activations?.at(-1)]));
      nodes.forEach((feature, index) => {
        expect(Math.abs(found.get(feature)! - (wanted.get(from + index) ?? 0)), feature).toBeLessThan(2e-3 * most);
      });
    }
  });

  test('splits the metric and the paths through it exactly, the error among the parts [M7], [D1], [D3]', async () => {
    const { sample } = JSON.parse(await readFile(join(FOLDER, name, 'card.json'), 'utf8')) as Card;
    const direct = await ask(name, sample.tokens, { top: 1000 });
    expect(direct.error).toBeLessThan(1e-5 * massOf(direct));
    for (const path of ['input->a0.h1->m1->logits', 'm1->m3->logits', 'm1->a3.h0->logits']) {
      const answer = await ask(name, sample.tokens, { paths: [path], top: 1000 });
      expect(answer.error, path).toBeLessThan(1e-5 * massOf(answer));
    }
  });
});
