import { expect, it } from 'vitest';
import { readAnnotations, writeAnnotations, type AnnotationSource } from './web-annotation.ts';

/** W3C Web Annotation, there and back. */

const ada = { id: 'person-1', name: 'Ada' };
const SOURCE: AnnotationSource = {
  source: 'https://example.org/boards/b1',
  model: { name: 'attn-2l', hash: 'abc' },
  labels: [{ id: 'label-001', anchor: 'a1.h0->logits', text: 'copies', createdAt: 0 }],
  threads: [
    {
      thread: { id: 'thread-01', anchor: 'm0', author: ada, createdAt: 0, resolved: null },
      comments: [{ id: 'comment-1', threadId: 'thread-01', author: ada, body: 'Look at `a0.h1`', createdAt: 0, editedAt: 1000 }],
    },
  ],
  claims: [{ id: 'claim-001', anchor: null, text: 'It is exact', author: ada, createdAt: 0, stances: {} }],
  titleOf: (anchor) => anchor,
};

it('has labels, comments and claims with a selector of ours and one that everybody knows', () => {
  const page = writeAnnotations(SOURCE);
  expect(page).toMatchObject({ type: 'AnnotationPage', '@context': ['http://www.w3.org/ns/anno.jsonld', expect.anything()] });
  expect(page.items).toEqual([
    {
      id: 'urn:pathboard:label:label-001',
      type: 'Annotation',
      created: '1970-01-01T00:00:00.000Z',
      motivation: 'tagging',
      body: [{ type: 'TextualBody', value: 'copies', format: 'text/plain', purpose: 'tagging' }],
      target: {
        source: SOURCE.source,
        selector: [
          { type: 'PathboardAnchorSelector', value: 'a1.h0->logits' },
          { type: 'TextQuoteSelector', exact: 'a1.h0->logits' },
        ],
      },
    },
    expect.objectContaining({ motivation: 'commenting', creator: { type: 'Person', name: 'Ada' }, modified: '1970-01-01T00:00:01.000Z' }),
    expect.objectContaining({ motivation: 'assessing', target: { source: SOURCE.source, selector: [] } }),
  ]);
});

it('comes back with what a board has a place for, and says what it has none for', () => {
  const { items, left } = readAnnotations(JSON.parse(JSON.stringify(writeAnnotations(SOURCE))));
  expect(items).toEqual([
    { id: 'urn:pathboard:label:label-001', kind: 'label', anchor: 'a1.h0->logits', text: 'copies', creator: null, source: SOURCE.source },
    {
      id: 'urn:pathboard:comment:comment-1',
      kind: 'comment',
      anchor: 'm0',
      text: 'Look at `a0.h1`',
      creator: 'Ada',
      source: SOURCE.source,
    },
  ]);
  expect(left).toEqual([{ id: 'urn:pathboard:claim:claim-001', why: 'its target is no path, edge, node or token' }]);
});

it('understands other tools: a quote that is a name, a single body, one annotation or a collection', () => {
  const foreign = {
    '@context': 'http://www.w3.org/ns/anno.jsonld',
    id: 'http://example.org/anno7',
    type: 'Annotation',
    motivation: ['commenting'],
    creator: 'http://example.org/people/ada',
    body: { type: 'TextualBody', value: 'a remark' },
    target: [{ source: 'http://example.org/page1', selector: { type: 'TextQuoteSelector', exact: 'input->a0.h1->logits', prefix: 'x' } }],
  };
  const read = {
    id: 'http://example.org/anno7',
    kind: 'comment',
    anchor: 'input->a0.h1->logits',
    text: 'a remark',
    creator: 'http://example.org/people/ada',
    source: 'http://example.org/page1',
  };
  for (const file of [
    foreign,
    [foreign],
    { type: 'AnnotationPage', items: [foreign] },
    { type: 'AnnotationCollection', first: { items: [foreign] } },
  ]) {
    expect(readAnnotations(file)).toEqual({ items: [read], left: [] });
  }
  const quote = { ...foreign, target: { source: 'x', selector: { type: 'TextQuoteSelector', exact: 'some words' } } };
  expect(readAnnotations(quote).left).toEqual([{ id: foreign.id, why: 'its target is no path, edge, node or token' }]);
  expect(readAnnotations({ ...foreign, body: [] }).left).toEqual([{ id: foreign.id, why: 'it has no text' }]);
});

it.each([['text'], [7], [{ type: 'Something' }], [{ items: [1] }]])('%j is refused', (file) => {
  expect(() => readAnnotations(file)).toThrow(/annotations: /);
});
