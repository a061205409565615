import { describe, expect, it } from 'vitest';
import type { Answer, Term } from '../lib/engine/index.ts';
import type { Snapshot } from '../lib/snapshot.ts';
import { renderPublishedPage } from './published-page.ts';

const author = { id: 'person-1', name: 'Ada' };
const hostile = '<script>alert("1")</script><img src=x onerror=alert(1)>\' &amp;';

function answer(view: Answer['view'], terms: Term[]): Answer {
  const sum = terms.reduce((total, term) => total + (term.value ?? 0), 0);
  return {
    view,
    kind: 'identity',
    engineVersion: '0.2.0',
    model: { name: 'attn-2l', hash: 'abc123' },
    backend: { engine: 'onnxruntime-node', provider: 'cpu', dtype: 'float32' },
    reference: null,
    tokens: [5, 6],
    tokenTexts: ['The', ' cat'],
    position: 1,
    target: 7,
    targetText: ' sat',
    foil: 8,
    foilText: ' ran',
    metric: sum,
    terms,
    remainder: 0,
    sum,
    error: 3e-7,
    notes: [],
    elapsedMs: 1,
  };
}

function snapshot(change: Partial<Snapshot> = {}): Snapshot {
  const effect = {
    ...answer('path-effect', [{ name: 'input->a0.h0->logits', value: -0.75 }]),
    kind: 'causal' as const,
    reference: 'zero' as const,
  };
  const evidence = {
    id: 'evidence-1',
    claimId: 'claim-001',
    runIds: ['run-00001'],
    predicate: 'effect("input->a0.h0->logits") < -0.5',
    author,
    createdAt: 0,
    verdict: { value: 'holds' as const, left: -0.75, at: 0 },
    reruns: [{ runId: 'run-00002', by: author, at: 0, agrees: true, maxDifference: 0 }],
  };
  const claim = {
    id: 'claim-001',
    anchor: 'input->a0.h0->logits',
    text: 'Head 0.0 matters',
    author,
    createdAt: 0,
    stances: { 'person-1': { author, stance: 'against' as const, reason: 'one prompt only', at: 0 } },
  };
  return {
    slug: 'a-page',
    version: 2,
    title: 'A page',
    question: 'Why?',
    findings: 'It is **bold** and `code`.\n\n- one\n- two',
    authors: ['Ada', 'Bob'],
    publishedAt: 0,
    setup: { model: 'attn-2l', prompt: 'The cat', counterfactual: 'The dog', position: null, target: null, foil: null },
    partition: answer('paths', [
      { name: 'input->a0.h0->logits', degree: 1, value: 1.25 },
      { name: 'input->logits', degree: 0, value: -0.5 },
    ]),
    degrees: answer('degrees', [
      { name: '0', degree: 0, value: -0.5 },
      { name: '1', degree: 1, value: 1.25 },
    ]),
    labels: [{ id: 'label-001', anchor: 'input->a0.h0->logits', text: 'copies', createdAt: 0 }],
    threads: [
      {
        thread: { id: 'thread-01', anchor: 'input->logits', author, createdAt: 0, resolved: null },
        comments: [{ id: 'comment-1', threadId: 'thread-01', author, body: 'Look `here` <b>', createdAt: 0, editedAt: null }],
      },
    ],
    claims: [{ claim, evidence: [evidence] }],
    runs: [
      {
        id: 'run-00001',
        key: 'k',
        boardId: null,
        view: 'path-effect',
        request: { view: 'path-effect', model: 'attn-2l' },
        answer: effect,
        author,
        createdAt: 0,
        computedBy: 'server',
      },
    ],
    ...change,
  };
}

describe('a published page', () => {
  it('reads as an article with all its sections', () => {
    const html = renderPublishedPage(snapshot());
    for (const heading of ['Prompt', 'Findings', 'The metric, path by path', 'By degree', 'Labels', 'Claims', 'Discussion', 'Methods']) {
      expect(html).toContain(`>${heading}</h2>`);
    }
    expect(html).toMatch(/^<!doctype html>\n<html lang="en">/);
    expect(html).toContain('Ada, Bob');
    expect(html).toContain('version 2');
    expect(html).toContain('+1.250');
    expect(html).toContain('<span class="stop">input-&gt;</span><wbr><span class="stop">logits</span>');
    expect(html).toContain('−0.500');
    expect(html).toContain('<strong>bold</strong>');
    expect(html).toContain('<ul><li>one</li><li>two</li></ul>');
    expect(html).toContain('class="label">copies');
    expect(html).toContain('Look <code>here</code> &lt;b&gt;');
    expect(html).toContain('abc123');
    expect(html).toContain('3e−7');
  });

  it('says the predicate, the number it compared, the run and that people disagree with it', () => {
    const html = renderPublishedPage(snapshot());
    expect(html).toContain('effect(&quot;input-&gt;a0.h0-&gt;logits&quot;) &lt; -0.5');
    expect(html).toContain('−0.750');
    expect(html).toContain('run-00001');
    expect(html).toContain('class="badge causal">causal');
    expect(html).toContain('Someone is against it, but the evidence holds.');
    expect(html).toContain('Run again once, last by Ada: agrees');
  });

  it('leaves out what there is none of', () => {
    const html = renderPublishedPage(snapshot({ threads: [], claims: [], labels: [], runs: [], findings: '', question: '' }));
    for (const heading of ['Findings', 'Labels', 'Claims', 'Discussion']) expect(html).not.toContain(`>${heading}</h2>`);
  });

  it('carries no script and no markup that somebody wrote', () => {
    const base = snapshot();
    const [first] = base.claims;
    const [thread] = base.threads;
    const html = renderPublishedPage({
      ...base,
      title: hostile,
      question: hostile,
      findings: `${hostile}\n\n- **${hostile}**\n- \`${hostile}\``,
      authors: [hostile],
      labels: [{ ...base.labels[0]!, text: hostile }],
      setup: { ...base.setup, counterfactual: hostile },
      partition: { ...base.partition, tokenTexts: [hostile, hostile], targetText: hostile, foilText: hostile, notes: [hostile] },
      threads: [{ ...thread!, comments: [{ ...thread!.comments[0]!, author: { id: 'x', name: hostile }, body: hostile }] }],
      claims: [
        {
          claim: {
            ...first!.claim,
            text: hostile,
            stances: { p: { author: { id: 'p', name: hostile }, stance: 'for', reason: hostile, at: 0 } },
          },
          evidence: [{ ...first!.evidence[0]!, predicate: hostile }],
        },
      ],
    });
    expect(html).not.toMatch(/<script/i);
    expect(html).not.toMatch(/<img/i);
    expect(html).toContain('&lt;script&gt;');
  });
});
