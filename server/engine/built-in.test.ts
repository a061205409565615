import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { analyze, resolveRequest, type Answer, type AnalyzeRequest, type Model, type View } from '../../lib/engine/index.ts';
import type { Codec } from '../../lib/tokens.ts';
import { listModels } from '../models.ts';
import { readCodec } from './model-folder.ts';
import { SlowModel, sum, type Matrix } from './slow-model.ts';
import { loadModel, noControl, storedModel } from './testing.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const folderOf = (name: string) => join(ROOT, 'public/models', name);
const readJson = async <T>(path: string) => JSON.parse(await readFile(path, 'utf8')) as T;

interface Golden {
  prompts: { text: string; tokens: number[]; position: number; logits: number[] }[];
}
interface Card {
  files: Record<string, { bytes: number; sha256: string }>;
  held_out: Record<'model' | 'trigram', { nats_per_token: number }>;
}
type Example = Record<'prompt' | 'counterfactual' | 'target' | 'foil', string>;

class BuiltIn {
  model!: Model;
  codec!: Codec;
  example!: Example;

  constructor(readonly name: string) {}

  async open(): Promise<void> {
    this.model = await loadModel(folderOf(this.name));
    this.codec = await readCodec(folderOf(this.name));
    this.example = await readJson<Example>(join(folderOf(this.name), 'example.json'));
  }

  ask(request: Omit<AnalyzeRequest, 'model'>): Promise<Answer> {
    const resolved = resolveRequest({ ...request, model: this.name }, this.codec, this.model.spec.vocabulary);
    return analyze(this.model, resolved, noControl);
  }

  /** About the example of the start page. */
  about(view: View, more: Partial<AnalyzeRequest> = {}): Promise<Answer> {
    const { prompt, counterfactual, target, foil } = this.example;
    return this.ask({ view, prompt, counterfactual, target, foil, ...more });
  }
}

test('the built-in models, the smallest first, which the start page proposes', async () => {
  const names = (await listModels(join(ROOT, 'no-home'))).map(({ name, builtIn, hasTokenizer }) => ({ name, builtIn, hasTokenizer }));
  expect(names).toEqual(['attn-2l', 'gpt-4l'].map((name) => ({ name, builtIn: true, hasTokenizer: true })));
});

describe.each(['attn-2l', 'gpt-4l'])('%s', (name) => {
  const subject = new BuiltIn(name);
  beforeAll(() => subject.open());
  afterAll(() => subject.model.close());

  test('its card is about these files, which are small, and it predicts better than word triples', async () => {
    const { files, held_out: text } = await readJson<Card>(join(folderOf(name), 'card.json'));
    expect(Object.keys(files)).toEqual(['config.json', 'model.safetensors', 'tokenizer.json']);
    for (const [file, { bytes, sha256 }] of Object.entries(files)) {
      const content = await readFile(join(folderOf(name), file));
      expect([content.length, createHash('sha256').update(content).digest('hex')]).toEqual([bytes, sha256]);
    }
    expect(Object.values(files).reduce((total, { bytes }) => total + bytes, 0)).toBeLessThan(24e6);
    expect(text.model.nats_per_token).toBeLessThan(text.trigram.nats_per_token);
  });

  test('tokens and logits agree with a float64 pass in numpy', async () => {
    const golden = await readJson<Golden>(join(ROOT, `bench/train/${name}.golden.json`));
    expect(golden.prompts.length).toBeGreaterThan(0);
    for (const { text, tokens, position, logits } of golden.prompts) {
      expect(subject.codec.encode(text, true)).toEqual(tokens);
      const answer = await subject.ask({ view: 'logits', prompt: text, position });
      const scale = Math.max(...logits.map(Math.abs));
      for (const { name: token, logit } of answer.terms) expect(Math.abs(logit! - logits[Number(token)]!)).toBeLessThan(1e-4 * scale);
    }
  });

  test('its example is predicted by copying, and the counterfactual takes that away', async () => {
    const { layers, heads } = subject.model.spec;
    const answer = await subject.about('paths', { top: 100_000 });
    expect(answer.metric).toBeGreaterThan(1);
    expect(answer.counterfactualMetric!).toBeLessThan(answer.metric! - 1);
    expect(answer.error).toBeLessThan(1e-4);
    const likely = await subject.ask({ view: 'logits', prompt: subject.example.prompt, top: 1 });
    expect(subject.codec.text(Number(likely.terms[0]!.name))).toBe(subject.example.target);
    const copying = Array.from({ length: (layers - 1) * heads }, (_, at) => `a${1 + Math.floor(at / heads)}.h${at % heads}`);
    const ablated = await subject.about('ablate', { ablate: copying, together: true });
    expect(ablated.joint!.value).toBeLessThan(answer.metric! - 1);
  });
});

describe('what is not linear, on gpt-4l', () => {
  const subject = new BuiltIn('gpt-4l');
  let slow: SlowModel;
  beforeAll(async () => {
    await subject.open();
    slow = new SlowModel(await storedModel(folderOf('gpt-4l')));
  });
  afterAll(() => subject.model.close());

  test.each<[View, Partial<AnalyzeRequest>]>([
    ['direct', {}],
    ['degrees', {}],
    ['paths', { top: 200 }],
    ['suffixes', {}],
    ['flow', {}],
    ['flow', { positions: true }],
    ['interactions', {}],
  ])('%s is an identity and sums to the metric %o', async (view, more) => {
    const answer = await subject.about(view, more);
    expect(answer.kind).toBe('identity');
    const scale = answer.terms.reduce((total, { value }) => total + Math.abs(value ?? 0), Math.abs(answer.remainder ?? 0));
    expect(answer.error).toBeLessThanOrEqual(1e-5 * scale);
    expect(Math.abs(answer.sum! - answer.metric!)).toBeCloseTo(answer.error!, 9);
  });

  test('[M13] a path has a degree up to 8, and paths listed by degree sum to the spectrum', async () => {
    const degrees = await subject.about('degrees');
    expect(degrees.terms.map(({ degree }) => degree)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    const singles = await subject.about('paths', { maxDegree: 1, top: 100_000 });
    const found = [0, 1].map((degree) =>
      singles.terms.filter((term) => term.degree === degree).reduce((total, { value }) => total + value!, 0),
    );
    expect(found[0]).toBeCloseTo(degrees.terms[0]!.value!, 4);
    expect(found[1]).toBeCloseTo(degrees.terms[1]!.value!, 4);
  });

  test('[M15] the naive expansion is an approximation, and does not arrive; no answer calls it a sum', async () => {
    const answer = await subject.about('naive-expansion', { maxDegree: 8 });
    expect(answer.kind).toBe('approximation');
    expect(answer.sum).toBeUndefined();
    expect(answer.terms).toHaveLength(9);
    expect(answer.terms.at(-1)!.relativeError!).toBeGreaterThan(0.01);
  });

  test('[M19] MLPs are not additive, and neither is attention', async () => {
    const { defects, terms } = await subject.about('interactions');
    expect(terms).toHaveLength(2 ** 8);
    expect(defects!.map(({ name }) => name)).toEqual(['m0', 'a1', 'm1', 'a2', 'm2', 'a3', 'm3']);
    for (const { live } of defects!) expect(live).toBeGreaterThan(0.01);
  });

  test('[M16] path effects are causal, and agree with float64 recomputation along the path', async () => {
    const [before, after] = [subject.example.prompt, subject.example.counterfactual].map((text) =>
      slow.embed(subject.codec.encode(text, true)),
    );
    const streams: Matrix[] = [before!];
    for (const { write } of slow.blocks) streams.push(sum(streams.at(-1)!, write(streams.at(-1)!)));
    const metricOf = (stream: Matrix) => {
      const logits = slow.read(stream.at(-1)!);
      const [target, foil] = [subject.example.target, subject.example.foil].map((text) => subject.codec.encode(text, false)[0]!);
      return logits[target!]! - logits[foil!]!;
    };
    const change = (block: number, delta: Matrix) =>
      minus(slow.blocks[block]!.write(sum(streams[block]!, delta)), minus(streams[block + 1]!, streams[block]!));
    const swapped = minus(after!, before!);
    const last = streams.at(-1)!;
    const clean = metricOf(last);
    const wanted = {
      'input->logits': metricOf(sum(last, swapped)) - clean,
      'input->m0->logits': metricOf(sum(last, change(1, swapped))) - clean,
      'input->m0->m2->logits': metricOf(sum(last, change(5, change(1, swapped)))) - clean,
      'input->m1->m3->logits': metricOf(sum(last, change(7, change(3, swapped)))) - clean,
    };
    const answer = await subject.about('path-effect', { paths: Object.keys(wanted) });
    expect(answer.kind).toBe('causal');
    expect(Math.abs(answer.metric! - clean)).toBeLessThan(1e-4);
    for (const { name, value } of answer.terms) expect(Math.abs(value! - wanted[name as keyof typeof wanted])).toBeLessThan(1e-4);
  });

  test('[M8] every edge patched is the counterfactual run', async () => {
    const answer = await subject.about('edge-patch', { allEdges: true, together: true, top: 1 });
    expect(answer.kind).toBe('causal');
    expect(Math.abs(answer.joint!.value - answer.counterfactualMetric!)).toBeLessThan(1e-3);
  });
});

function minus(a: Matrix, b: Matrix): Matrix {
  return a.map((row, at) => row.map((value, channel) => value - b[at]![channel]!));
}
