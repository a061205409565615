import { describe, expect, it } from 'vitest';
import type { AnalyzeRequest, Answer } from './engine/index.ts';
import type { Snapshot } from './snapshot.ts';
import { numberKey, shownNumbers } from './verify-numbers.ts';
import { keysOf } from './verify-shown.ts';
import { verifySnapshot, type Report } from './verify.ts';
import { renderPublishedPage } from '../server/published-page.ts';
import { answerTo } from '../server/testing/fake-engine.ts';

/** Recomputing a page from its own questions, with an engine that is passed in. */

const SETUP = { model: 'toy', prompt: 'When Mary', counterfactual: null, position: null, target: null, foil: null };
const toyOf = ({ model, prompt }: Snapshot['setup']) => ({ model, prompt });
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
    expect(report.parts.map(({ id }) => id)).toEqual([
      'paths',
      'degrees',
      'flow',
      'run:run-00001',
      'evidence:evidence-1',
      'claim:claim-001',
    ]);
    expect(report.parts[0]).toMatchObject({ difference: 0, compared: 7, why: null });
    expect(report.parts[0]!.tolerance).toBeCloseTo(2e-4, 12);
    expect(report).toMatchObject({ engineVersion: '0.0.0', backend: { engine: 'fake' } });
    expect(told).toEqual(['0/6', '1/6', '2/6', '3/6', '4/6', '6/6']);
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

  it.each<[string, (snapshot: Snapshot) => void, ...string[]]>([
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
    ['a verdict', ({ claims }) => (claims[0]!.evidence[0]!.verdict.value = 'fails'), 'evidence:evidence-1', 'claim:claim-001'],
    ['the number that a verdict compared', ({ claims }) => (claims[0]!.evidence[0]!.verdict.left = -0.6), 'evidence:evidence-1'],
    [
      'a predicate',
      ({ claims }) => (claims[0]!.evidence[0]!.predicate = 'effect("input->a0.h0->logits") < -0.9'),
      'evidence:evidence-1',
      'claim:claim-001',
    ],
    ['a model hash', ({ flow }) => (flow!.model = { name: 'toy', hash: 'beef' }), 'flow'],
  ])('%s', async (_, change, ...parts) => {
    const report = await tampered(change);
    expect(failures(report)).toEqual(parts.map((part) => [part, 'not-reproduced', expect.any(String)]));
    expect(report.mark).toBe('not-reproduced');
  });

  const EFFECT = 'effect("input->a0.h0->logits") < -0.5';
  const compared = (predicate: string, left: number) =>
    tampered(({ claims, runs, degrees, setup }) => {
      const evidence = claims[0]!.evidence[0]!;
      runs.push({ ...runs[0]!, id: 'run-00002', view: 'degrees', request: { view: 'degrees', ...toyOf(setup) }, answer: degrees });
      Object.assign(evidence, { predicate, runIds: ['run-00001', 'run-00002'], verdict: { ...evidence.verdict, left } });
    });

  it.each([
    [`${EFFECT} and error < 1e-4`, -0.75, -0.6],
    ['error < 1e-4', 2e-7, 0.5],
    [`error < 1e-4 and ${EFFECT}`, 2e-7, -0.75],
  ])('in what %s compared', async (predicate, right, wrong) => {
    expect(failures(await compared(predicate, right))).toEqual([]);
    expect(failures(await compared(predicate, wrong))).toEqual([
      ['evidence:evidence-1', 'not-reproduced', expect.stringContaining(`the page states that ${wrong} was compared`)],
    ]);
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
    const why = 'the page does not hold run run-00001';
    expect(failures(report)).toEqual([
      ['evidence:evidence-1', 'not-recomputed', why],
      ['claim:claim-001', 'not-recomputed', why],
    ]);
  });

  it('a fault of the engine is no mark', async () => {
    const broken = { models: engine().models, analyze: () => Promise.reject(new Error('gone')) };
    await expect(verifySnapshot(snapshot(), broken)).rejects.toThrow('gone');
  });
});

describe('the HTML of an older page', () => {
  const key = numberKey('paths', 'input->a0.h0->logits', 'value');
  const html = (value: number | string) => `<span data-number="paths|input-&gt;a0.h0-&gt;logits|value" data-value="${value}">+1.750</span>`;

  it('is read number by number', () => {
    expect(shownNumbers(html(1.75))).toEqual([{ key, value: '1.75', format: null, text: '+1.750' }]);
  });

  it('must show what its data holds, as far as it says so', async () => {
    const ok = await verifySnapshot(snapshot(), engine(), { shown: shownNumbers(html(1.75)) });
    expect(ok.mark).toBe('reproduced');
    const report = await verifySnapshot(snapshot(), engine(), { shown: shownNumbers(html(9)) });
    expect(failures(report)).toEqual([
      ['page', 'not-reproduced', 'paths input->a0.h0->logits value: the page shows 9, its data holds 1.75'],
    ]);
    expect((await verifySnapshot(snapshot(), engine(), { shown: [] })).parts.map(({ id }) => id)).not.toContain('page');
  });
});

describe('the page’s own HTML', () => {
  const page: Snapshot = { ...snapshot(), numbers: 2 };
  const html = renderPublishedPage(page);
  const METRIC = '<span data-number="paths||metric" data-value="2" data-format="value">2.000</span>';
  const PATH = '<span data-number="paths|input-&gt;a0.h0-&gt;logits|value" data-value="1.75" data-format="signed">+1.750</span>';
  const verified = (text: string) => verifySnapshot(page, engine(), { shown: shownNumbers(text) });
  const PATH_IS = 'paths input->a0.h0->logits value: the page shows';

  it('shows every number that it has to, and no other', () => {
    const heads = { ...fresh('heads'), terms: [{ name: 'a0.h0', previous: 0.5, duplicate: 0.25 }] };
    const group = { id: 'group-001', name: 'A mechanism', members: ['a0.h0'], createdAt: 0 };
    const partition = { ...page.partition, remainder: 0.5, counterfactualMetric: 1 };
    const none = { group: { ...group, id: 'group-002' }, value: null, why: 'it has no members' };
    const whole: Snapshot = { ...page, partition, heads, mechanisms: [{ group, value: 1, why: null }, none] };
    for (const one of [page, whole, { ...page, claims: [], flow: { ...page.flow!, terms: [] } }]) {
      const keys = shownNumbers(renderPublishedPage(one)).map(({ key }) => key);
      expect(keys.toSorted()).toEqual(keysOf(one).toSorted());
    }
  });

  it('is reproduced as it was made', async () => {
    expect(failures(await verified(html))).toEqual([]);
  });

  it.each([
    ['another number is read there', PATH, PATH.replace('+1.750', '+1.800'), `${PATH_IS} +1.800, its data holds +1.750`],
    ['the sign is another', PATH, PATH.replace('+1.750', '−1.750'), `${PATH_IS} −1.750, its data holds +1.750`],
    ['there is more in it', PATH, PATH.replace('+1.750', '+1.750<b>9</b>'), `${PATH_IS} no number, its data holds +1.750`],
    ['it says not how it is written', PATH, PATH.replace(' data-format="signed"', ''), `${PATH_IS} +1.750, its data holds 1.75`],
    ['a number is gone', PATH, '+1.800', `${PATH_IS} nothing, its data holds 1.75`],
    ['one of two places is gone', METRIC, '2.1', 'paths  metric: the page shows nothing, its data holds 2'],
    [
      'a claim’s verdict is another',
      '"claim:claim-001||verdict" data-value="holds" data-format="word">holds',
      '"claim:claim-001||verdict" data-value="fails" data-format="word">fails',
      'claim:claim-001  verdict: the page shows fails, its data holds holds',
    ],
  ])('is not where %s', async (_, from, to, why) => {
    expect(html).toContain(from);
    expect(failures(await verified(html.replace(from, to)))).toEqual([['page', 'not-reproduced', why]]);
  });

  it('is not where no number is left', async () => {
    const why = expect.stringMatching(/^paths {2}metric: the page shows nothing, its data holds 2; \d+ more$/) as unknown;
    const report = await verified(html.replaceAll(' data-number=', ' data-was='));
    expect(failures(report)).toEqual([['page', 'not-reproduced', why]]);
    expect(report.parts.at(-1)?.numbers.map(({ key }) => key)).toEqual([...new Set(keysOf(page))]);
  });
});
