import { describe, expect, it } from 'vitest';
import type { AnalyzeRequest } from '@/lib/engine/index.ts';
import { analyzeRequest, type Setup } from '@/lib/wire.ts';
import { strings } from '@/app/ui/strings.ts';
import { ANALYSIS_GROUPS, ANALYSIS_VIEWS, analysisOf, hintOf, type AnalysisView } from './analyses.ts';
import { defaultsOf, formOf, isSameRequest, isWanted, requestOfForm, type FormValues } from './analysis-form.ts';
import { readAnalysis, writeAnalysis } from './analysis-link.ts';
import { readRequest } from './analysis-request.ts';

const BOARD: Setup = { model: 'toy', prompt: 'a “b” c', counterfactual: 'a “d” c', position: 2, target: '11', foil: 'none' };
const PATH = 'input->a0.h1->a1.h2->logits';

function filled(view: AnalysisView, changes: Partial<FormValues> = {}): FormValues {
  return { ...defaultsOf(analysisOf(view), BOARD, PATH), ...changes };
}

function requestOf(view: AnalysisView, changes: Partial<FormValues> = {}, board = BOARD): AnalyzeRequest {
  const outcome = requestOfForm(analysisOf(view), filled(view, changes), board);
  if (!('request' in outcome)) throw new Error(JSON.stringify(outcome.faults));
  return outcome.request;
}

function faultsOf(view: AnalysisView, changes: Partial<FormValues>) {
  const outcome = requestOfForm(analysisOf(view), filled(view, changes), BOARD);
  return 'faults' in outcome ? outcome.faults : {};
}

describe('the table of analyses', () => {
  it('has every analysis in one group, with a title and a meaning', () => {
    expect(ANALYSIS_GROUPS.flatMap(({ views }) => views).sort()).toEqual(ANALYSIS_VIEWS.toSorted());
    for (const view of ANALYSIS_VIEWS) {
      expect(strings.analyses.titles[view]).not.toBe('');
      expect(strings.analyses.meaning[view]).toMatch(/\.$/);
    }
  });

  it.each(ANALYSIS_VIEWS)('%s asks for what the API takes, filled from the selected path', (view) => {
    const { success, error } = analyzeRequest.safeParse(requestOf(view));
    expect(error?.issues ?? []).toEqual([]);
    expect(success).toBe(true);
  });
});

describe('what an empty field means', () => {
  it('is said as it is in the analysis', () => {
    expect(hintOf('steps', 'attribution')).toMatch(/^Empty: the clean gradient alone \(EAP\)\./);
    expect(hintOf('maxDegree', 'orders')).toBe('Empty: all.');
    expect(hintOf('maxDegree', 'interactions')).toContain('12 blocks');
    expect(hintOf('maxDegree', 'naive-expansion')).toContain('up to 3');
    expect(hintOf('top', 'circuits')).toContain('20');
    expect(hintOf('top', 'flow')).toBe('Empty: everything.');
    expect(hintOf('foldNorm', 'circuits')).toBeUndefined();
  });
});

describe('a form', () => {
  it('asks the board’s question, with the counterfactual where something is replaced', () => {
    const question = { model: 'toy', prompt: BOARD.prompt, position: 2, target: '11', foil: 'none' };
    expect(requestOf('flow', { top: '50' })).toEqual({ view: 'flow', ...question, top: 50 });
    expect(requestOf('edge-patch', { edges: 'a0.h0->a1.h0<k>, input->a1.h0', together: true })).toEqual({
      view: 'edge-patch',
      ...question,
      counterfactual: BOARD.counterfactual,
      edges: ['a0.h0->a1.h0<k>', 'input->a1.h0'],
      together: true,
      ablation: 'counterfactual',
    });
    expect(requestOf('composition', { foldNorm: true })).toEqual({ view: 'composition', model: 'toy', foldNorm: true });
  });

  it('takes names from the selection', () => {
    expect(requestOf('units')).toMatchObject({ paths: [PATH], nodes: ['a0.h1'] });
    expect(requestOf('virtual-head').edges).toEqual(['a0.h1->a1.h2']);
    expect(requestOf('edge-patch').edges).toEqual(['input->a0.h1', 'a0.h1->a1.h2', 'a1.h2->logits']);
    expect(requestOf('ablate').ablate).toEqual(['a0.h1', 'a1.h2']);
    expect(defaultsOf(analysisOf('edge-patch'), BOARD, 'a0.b->a1.h2->logits').edges).toBe('a1.h2->logits');
    expect(defaultsOf(analysisOf('repair'), BOARD, 'm3').ablate).toBe('m3');
    expect(defaultsOf(analysisOf('ablate'), BOARD, 'logits').ablate).toBe('');
    expect(defaultsOf(analysisOf('units'), BOARD, 'a1.h2->logits').paths).toBe('');
  });

  it('leaves out what does not matter', () => {
    const request = requestOf('edge-patch', { allEdges: true, ablation: 'zero', seed: '3', top: '9' });
    expect(request).toMatchObject({ allEdges: true, ablation: 'zero', top: 9 });
    expect(Object.keys(request)).not.toEqual(expect.arrayContaining(['edges']));
    expect(Object.keys(request)).not.toEqual(expect.arrayContaining(['seed']));
    expect(isWanted('seed', analysisOf('edge-patch'), filled('edge-patch', { ablation: 'resample' }))).toBe(true);
  });

  it('asks of a generated set, or of lines, in place of the board’s prompt', () => {
    const prompts = { ...filled('orders').prompts, source: 'generator', generator: 'ioi', count: '8', seed: '5' } as const;
    expect(requestOf('orders', { prompts })).toEqual({ view: 'orders', model: 'toy', prompts: { generator: 'ioi', count: 8, seed: 5 } });
    const lines = {
      ...prompts,
      source: 'examples',
      lines: '{"clean": "x", "foil": "none"}\n\n{"clean": [1, 2]}\n',
      name: 'mine.jsonl',
    } as const;
    expect(requestOf('ablate', { prompts: lines, ablation: 'mean' })).toEqual({
      view: 'ablate',
      model: 'toy',
      prompts: { examples: [{ clean: 'x', foil: 'none' }, { clean: [1, 2] }], name: 'mine.jsonl' },
      ablate: ['a0.h1', 'a1.h2'],
      ablation: 'mean',
    });
    expect(requestOf('ablate', { ablation: 'mean', referencePrompts: prompts }).referencePrompts).toEqual({
      generator: 'ioi',
      count: 8,
      seed: 5,
    });
  });

  it('says beside each field what is wrong with it', () => {
    const lines = { ...filled('flow').prompts, source: 'examples', lines: '{"clean": "x"}\n{"klean": "x"}' } as const;
    expect(faultsOf('flow', { prompts: lines, top: '-1' })).toEqual({
      prompts: expect.stringContaining('examples line 2'),
      top: strings.analyses.faults.whole,
    });
    expect(faultsOf('ablate', { ablate: ' ', ablation: 'mean' })).toEqual({
      ablate: strings.analyses.faults.names,
      referencePrompts: strings.analyses.faults.set,
    });
    expect(faultsOf('virtual-head', { edges: 'a0.h0->a1.h0 a0.h1->a1.h0' })).toEqual({ edges: strings.analyses.faults.one });
    expect(faultsOf('flow', { prompts: { ...lines, source: 'generator', count: '0' } })).toEqual({
      prompts: strings.analyses.faults.count,
    });
  });
});

const variants: [AnalysisView, Partial<FormValues>][] = [
  ...ANALYSIS_VIEWS.map((view): [AnalysisView, Partial<FormValues>] => [view, {}]),
  ['edge-patch', { ablation: 'resample', seed: '7', together: true, referencePrompts: { ...filled('flow').prompts, source: 'generator' } }],
  ['attribution', { steps: '8', top: '30', prompts: { ...filled('flow').prompts, source: 'generator', seed: '4' } }],
  ['orders', { prompts: { ...filled('flow').prompts, source: 'examples', lines: '{"clean":"é 👍","target":" x"}' } }],
  ['interactions', { maxDegree: '3' }],
  ['concentration', { granularity: 'neuron' }],
];

describe('a request and its form', () => {
  it.each(variants)('%s %j: the form of a request asks the same', (view, changes) => {
    const request = requestOf(view, changes);
    const analysis = analysisOf(view);
    const form = formOf(request, analysis, BOARD);
    expect(form.setup).toBeNull();
    expect(requestOfForm(analysis, form, BOARD)).toEqual({ request });
  });

  it.each(ANALYSIS_VIEWS)('%s of another board keeps the question it was asked', (view) => {
    const request = requestOf(view, {}, { ...BOARD, model: 'other', prompt: 'else', counterfactual: null });
    const analysis = analysisOf(view);
    const form = formOf(request, analysis, BOARD);
    expect(form.setup?.model).toBe('other');
    expect(requestOfForm(analysis, form, BOARD)).toEqual({ request });
  });
});

describe('a permalink', () => {
  const linkOf = (view: AnalysisView, asked: AnalyzeRequest | null) => {
    const params = new URLSearchParams();
    const hash = writeAnalysis({ view, asked }, params);
    return { search: params.toString(), hash };
  };
  const read = ({ search, hash }: { search: string; hash: string }) => {
    const { view, asked } = readAnalysis(new URLSearchParams(search), hash);
    return { view, asked: readRequest(asked) };
  };

  it.each(variants)('%s %j opens as it was written', (view, changes) => {
    const asked = requestOf(view, changes);
    const place = read(linkOf(view, asked));
    expect(place.view).toBe(view);
    expect(place.asked && isSameRequest(place.asked, asked)).toBe(true);
  });

  it('holds what is too long for a server behind the #', () => {
    const lines = Array.from({ length: 400 }, (_, index) => JSON.stringify({ clean: `number ${index}` })).join('\n');
    const asked = requestOf('orders', { prompts: { ...filled('orders').prompts, source: 'examples', lines } });
    const link = linkOf('orders', asked);
    expect(link.search).toBe('a=orders');
    expect(read(link).asked).toEqual(asked);
  });

  it('opens an analysis that was not run, and nothing that cannot be read', () => {
    expect(read(linkOf('heads', null))).toEqual({ view: 'heads', asked: null });
    for (const search of ['a=flow&q=%00', 'a=flow&q=WzFd', 'a=flow&q=eyJtb2RlbCI6IDF9', 'a=nothing', '']) {
      expect(read({ search, hash: '#q' })).toEqual({ view: 'flow', asked: null });
    }
  });
});
