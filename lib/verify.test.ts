import { describe, expect, it } from 'vitest';
import type { AnalyzeRequest, Answer } from './engine/index.ts';
import type { Snapshot } from './snapshot.ts';
import { numberKey, shownNumbers } from './verify-numbers.ts';
import { verifySnapshot, type Report } from './verify.ts';
import { answerTo } from '../server/testing/fake-engine.ts';

/** Recomputing a page from its own questions, with an engine that is passed in. */

const SETUP = { model: 'toy', prompt: 'When Mary', counterfactual: null, position: null, target: null, foil: null };
const author = { id: 'author-1', name: 'Ada' };
const fresh = (view: Answer['view'], more: Partial<AnalyzeRequest> = {}) => answerTo({ view, model: 'toy', ...more });

function snapshot(): Snapshot {
  const request: AnalyzeRequest = { view: 'path-effect', model: 'toy', prompt: 'When Mary', paths: ['input->a0.h0->logits'] };
  const run = {
    id: 'run-00001',
    key: 'k',
    boardId: null,
    view: request.view,
    request,
    answer: answerTo(request),
    author,
    createdAt: 0,
    computedBy: 'server' as const,
  };
  const verdict = { value: 'holds' as const, left: -0.75, at: 0 };
  return {
    slug: 'a-page',
    version: 1,
    title: 'A page',
    question: '',
    findings: '',
    authors: ['Ada'],
    publishedAt: 0,
    setup: SETUP,
    partition: fresh('paths'),
    degrees: fresh('degrees'),
    flow: fresh('flow'),
    labels: [{ id: 'label-001', anchor: 'a0.h0', text: 'copies', createdAt: 0 }],
    threads: [],
    claims: [
      {
        claim: { id: 'claim-001', anchor: null, text: 'It matters', author, createdAt: 0, stances: {} },
        evidence: [
          {
            id: 'evidence-1',
            claimId: 'claim-001',
            runIds: ['run-00001'],
            predicate: 'effect("input->a0.h0->logits") < -0.5',
            author,
            createdAt: 0,
            verdict,
            reruns: [],
          },
        ],
      },
    ],
    runs: [run],
  };
}

const engine = (drift = 0, models = [{ name: 'toy', hash: 'f00d' }]) => ({
  models: async () => models,
  analyze: async (request: AnalyzeRequest) => answerTo(request, drift),
});

/** The parts that are not reproduced, with why. */
const failures = ({ parts }: Report) => parts.filter(({ mark }) => mark !== 'reproduced').map(({ id, mark, why }) => [id, mark, why]);

/** A copy of a snapshot in which something was changed behind its back. */
async function tampered(change: (snapshot: Snapshot) => void): Promise<Report> {
  const copy = structuredClone(snapshot());
  change(copy);
  return verifySnapshot(copy, engine());
}

describe('a page that is as it was published', () => {
  it('is reproduced, part by part, with the largest difference and what it may be', async () => {
    const told: string[] = [];
    const report = await verifySnapshot(snapshot(), engine(), { onProgress: ({ done, total }) => told.push(`${done}/${total}`) });
    expect(failures(report)).toEqual([]);
    expect(report.mark).toBe('reproduced');
    expect(report.parts.map(({ id }) => id)).toEqual(['paths', 'degrees', 'flow', 'run:run-00001', 'evidence:evidence-1']);
    expect(report.parts[0]).toMatchObject({ difference: 0, compared: 7, why: null });
    expect(report.parts[0]!.tolerance).toBeCloseTo(2e-4, 12);
    expect(report).toMatchObject({ engineVersion: '0.0.0', backend: { engine: 'fake' } });
    expect(told).toEqual(['0/5', '1/5', '2/5', '3/5', '4/5', '5/5']);
  });

  it('may differ by what single precision leaves open, and no more', async () => {
    expect(failures(await verifySnapshot(snapshot(), engine(1e-5)))).toEqual([]);
    const report = await verifySnapshot(snapshot(), engine(1e-3));
    expect(failures(report).map(([id]) => id)).toEqual(['paths', 'degrees', 'flow', 'run:run-00001', 'evidence:evidence-1']);
  });

  it('asks the engine once for what is asked twice', async () => {
    const copy = snapshot();
    copy.runs.push({ ...copy.runs[0]!, id: 'run-00002' });
    let asked = 0;
    const { models, analyze } = engine();
    await verifySnapshot(copy, { models, analyze: (request) => ((asked += 1), analyze(request)) });
    expect(asked).toBe(4);
  });

  it('is found by its hash under whatever name the model has here', async () => {
    const report = await verifySnapshot(snapshot(), {
      models: async () => [{ name: 'renamed', hash: 'f00d' }],
      analyze: async (request) => (expect(request.model).toBe('renamed'), answerTo(request)),
    });
    expect(report.mark).toBe('reproduced');
  });
});

describe('a page that was changed', () => {
  it('names the figure and the number', async () => {
    const report = await tampered(({ partition }) => (partition.terms[1]!.value = 1.76));
    expect(failures(report)).toEqual([
      ['paths', 'not-reproduced', 'input->a0.h0->logits (value): the page states 1.76, the fresh run has 1.75'],
    ]);
    const number = report.parts[0]!.numbers[0];
    expect(number).toEqual({
      key: numberKey('paths', 'input->a0.h0->logits', 'value'),
      claimed: 1.76,
      fresh: 1.75,
      mark: 'not-reproduced',
    });
  });

  it('is not hidden by a second number that is changed much more', async () => {
    const report = await tampered(({ degrees }) => {
      degrees.terms[0]!.value = 1e9;
      degrees.terms[1]!.value = 1.76;
    });
    expect(report.parts[1]!.numbers.filter(({ mark }) => mark === 'not-reproduced')).toHaveLength(2);
  });

  it.each<[string, (snapshot: Snapshot) => void, string]>([
    ['the metric', ({ partition }) => (partition.metric = 2.1), 'paths'],
    ['the remainder', ({ degrees }) => (degrees.remainder = 0.1), 'degrees'],
    ['the error', ({ degrees }) => (degrees.error = 0.5), 'degrees'],
    ['a value of the flow', ({ flow }) => (flow!.terms[0]!.value = -0.5), 'flow'],
    ['a term left out', ({ partition }) => partition.terms.splice(1, 1), 'paths'],
    ['a term made up', ({ partition }) => partition.terms.push({ name: 'input->a0.h9->logits', degree: 1, value: 3 }), 'paths'],
    ['a term renamed', ({ partition }) => (partition.terms[0]!.name = 'input->a0.h7->logits'), 'paths'],
    ['the target', ({ partition }) => (partition.target = 9), 'paths'],
    ['a token', ({ degrees }) => (degrees.tokens[0] = 9), 'degrees'],
    ['the kind', ({ degrees }) => (degrees.kind = 'causal'), 'degrees'],
    ['a run’s number', ({ runs }) => (runs[0]!.answer.terms[0]!.value = -0.9), 'run:run-00001'],
    ['a verdict', ({ claims }) => (claims[0]!.evidence[0]!.verdict.value = 'fails'), 'evidence:evidence-1'],
    ['the number that a verdict compared', ({ claims }) => (claims[0]!.evidence[0]!.verdict.left = -0.6), 'evidence:evidence-1'],
    ['a predicate', ({ claims }) => (claims[0]!.evidence[0]!.predicate = 'effect("input->a0.h0->logits") < -0.9'), 'evidence:evidence-1'],
    ['a model hash', ({ flow }) => (flow!.model = { name: 'toy', hash: 'beef' }), 'flow'],
  ])('%s', async (_, change, part) => {
    const report = await tampered(change);
    expect(failures(report)).toEqual([[part, 'not-reproduced', expect.any(String)]]);
    expect(report.mark).toBe('not-reproduced');
  });

  it('in the words of a label is none that numbers tell', async () => {
    expect(failures(await tampered(({ labels }) => (labels[0]!.text = 'other words')))).toEqual([]);
  });
});

describe('what cannot be computed', () => {
  it('says that the model is not here, and which one has its name', async () => {
    const report = await verifySnapshot(snapshot(), engine(0, [{ name: 'toy', hash: 'another' }]));
    expect(report.mark).toBe('not-recomputed');
    expect(report.parts[0]).toMatchObject({
      mark: 'not-recomputed',
      why: 'no model with hash f00d is installed; the one called toy here has hash another',
    });
    expect(report.backend).toBeNull();
  });

  it('is evidence whose run the page does not hold', async () => {
    const report = await tampered((copy) => (copy.runs = []));
    expect(failures(report)).toEqual([['evidence:evidence-1', 'not-recomputed', 'the page does not hold run run-00001']]);
  });

  it('a fault of the engine is no mark', async () => {
    const broken = { models: engine().models, analyze: () => Promise.reject(new Error('gone')) };
    await expect(verifySnapshot(snapshot(), broken)).rejects.toThrow('gone');
  });
});

describe('the page’s own HTML', () => {
  const key = numberKey('paths', 'input->a0.h0->logits', 'value');
  const html = (value: number | string) => `<span data-number="paths|input-&gt;a0.h0-&gt;logits|value" data-value="${value}">1.8</span>`;

  it('is read number by number', () => {
    expect(shownNumbers(html(1.75))).toEqual([{ key, value: '1.75' }]);
  });

  it('must show what its data holds', async () => {
    const ok = await verifySnapshot(snapshot(), engine(), { shown: shownNumbers(html(1.75)) });
    expect(ok.mark).toBe('reproduced');
    const report = await verifySnapshot(snapshot(), engine(), { shown: shownNumbers(html(9)) });
    expect(failures(report)).toEqual([
      ['page', 'not-reproduced', 'paths input->a0.h0->logits value: the page shows 9, its data holds 1.75'],
    ]);
  });
});
