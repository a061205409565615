import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Model, analyze, type Answer, type TokenRequest } from '../../lib/engine/index.ts';
import { goldenNames, goldenRequest, indexed, expectTable, loadGolden, type Golden } from './golden-tables.ts';
import { readModelFolder } from './model-folder.ts';
import { createNodeRuntime } from './node-runtime.ts';
import { FIXTURES, noControl } from './testing.ts';

/** Products in float16 as CUDA computes them, here on the CPU: how far from float64 the answers are. */

/** Of the largest number of a table. */
const TOLERANCE = 1e-2;

const values = (answer: Answer) => Object.fromEntries(answer.terms.map(({ name, value }) => [name, value!]));

describe.each(goldenNames)('in float16, %s', (name) => {
  let model: Model;
  let golden: Golden;
  const ask = (request: Partial<TokenRequest> & Pick<TokenRequest, 'view'>) =>
    analyze(model, { model: name, ...goldenRequest(golden), ...request }, noControl);

  beforeAll(async () => {
    const folder = join(FIXTURES, name);
    const { spec } = await readModelFolder(folder);
    model = new Model(name, '', spec, createNodeRuntime(folder, { threads: 1, weights: 'inside', precision: 'float16' }));
    golden = await loadGolden(name);
  });
  afterAll(() => model.close());

  it('comes within 1e-2 of the largest, and says that it is float16', async () => {
    const logits = await ask({ view: 'logits' });
    expect(logits.backend.dtype).toBe('float16');
    const found = Object.fromEntries(logits.terms.map((term) => [term.name, term.logit!]));
    expectTable(found, indexed(golden.logits), TOLERANCE);
    expectTable(values(await ask({ view: 'degrees' })), indexed(golden.degree_spectrum), TOLERANCE);
    const effects = await ask({ view: 'path-effect', paths: Object.keys(golden.path_effect) });
    expectTable(values(effects), golden.path_effect, TOLERANCE);
  });

  it('is really rounded: further from the truth than float32 comes', async () => {
    const { terms } = await ask({ view: 'logits' });
    const scale = Math.max(...golden.logits.map(Math.abs));
    const errors = terms.map((term) => Math.abs(term.logit! - golden.logits[Number(term.name)]!) / scale);
    expect(Math.max(...errors)).toBeGreaterThan(1e-5);
  });
});
