import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EngineError } from './errors.ts';
import {
  checkPath,
  checkPlacedEdge,
  degreeOf,
  isFeatureName,
  parseFeature,
  parseFeaturePlace,
  parseNode,
  parsePath,
  parsePlace,
  parsePlacedEdge,
  printFeature,
  printHeadPair,
  printNeuron,
  printNode,
  printPath,
  printPlace,
  printPlacedEdge,
  printPositions,
  stageOf,
  withoutPositions,
  type Path,
  type Shape,
  type Stop,
} from './names.ts';

const shape: Shape = { layers: 4, heads: 3, hasMlp: true, parallel: false };

/** Any path that the shape allows. */
const legalPath: fc.Arbitrary<Path> = fc
  .tuple(
    fc.constantFrom('input', 'component', 'bias'),
    fc.uniqueArray(fc.nat(7), { minLength: 1, maxLength: 8 }).map((stages) => stages.toSorted((a, b) => a - b)),
    fc.array(fc.tuple(fc.nat(2), fc.constantFrom(null, 'q', 'k', 'v')), { minLength: 8, maxLength: 8 }),
  )
  .map(([start, stages, choices]) => {
    const stops = stages.map((stage, index): Stop => {
      const [head, slot] = choices[index]!;
      const layer = stage >> 1;
      return stage % 2 === 0 ? { node: { kind: 'head', layer, head }, slot } : { node: { kind: 'mlp', layer }, slot: null };
    });
    const first = stops[0]!;
    if (start === 'input') stops.unshift({ node: { kind: 'input' }, slot: null });
    else if (start === 'component') stops[0] = { ...first, slot: null };
    else stops[0] = { node: { kind: first.node.kind === 'head' ? 'attn-bias' : 'mlp-bias', layer: stages[0]! >> 1 }, slot: null };
    return [...stops, { node: { kind: 'logits' }, slot: null }];
  });

test('[M22] units are named by their node', () => {
  expect(printNeuron(2, 17)).toBe('m2.n17');
  expect(printHeadPair(1, 0, 7, 3)).toBe('a1.h0@7<-3');
  expect(printPositions(7, 3)).toBe('7<-3');
});

describe('[M3] one grammar, one parser, one printer', () => {
  test('printing and parsing are inverse on every legal path', () => {
    fc.assert(
      fc.property(legalPath, (path) => {
        expect(parsePath(printPath(path))).toEqual(path);
        expect(() => checkPath(path, shape)).not.toThrow();
      }),
    );
  });

  test.each(['input', 'a0.h0', 'a11.h3', 'a2.b', 'm0', 'm10.b', 'logits', 'logits.b'])('node %s', (name) => {
    expect(printNode(parseNode(name))).toBe(name);
  });

  test.each(['', 'a0', 'A0.h0', 'a00.h0', 'a0.h', 'a0.h-1', 'm', 'm0.h0', 'mlp0', 'logits.c', 'a0.h0 ', 'a0.h0<q>'])(
    'no node: %j',
    (name) => {
      expect(() => parseNode(name)).toThrow(EngineError);
    },
  );

  test.each([
    ['input', 'at least two nodes'],
    ['input->a0.h0<w>->logits', 'slot'],
    ['input->->logits', 'input, a0.h0'],
    ['input->a0.h0', 'logits at its end'],
    ['input->logits->a0.h0->logits', 'at its end alone'],
    ['a1.h0->a0.h0->logits', 'increasing stage order'],
    ['a0.h0->a0.h1->logits', 'increasing stage order'],
    ['m0->a0.h1->logits', 'increasing stage order'],
    ['input->input->logits', 'heads and MLPs between'],
    ['input->a4.h0->logits', 'a layer below 4'],
    ['input->a0.h3->logits', 'a head below 3'],
    ['input->m1<q>->logits', 'a slot on a head'],
    ['a0.h0<q>->m0->logits', 'a slot on a head that reads'],
    ['logits.b->m0->logits', 'increasing stage order'],
    ['a0.b->a0.h1->logits', 'increasing stage order'],
  ])('%s is refused: expected %s', (text, expected) => {
    expect(() => checkPath(parsePath(text), shape)).toThrow(expected);
  });

  test('an attention-only model has no MLP', () => {
    expect(() => checkPath(parsePath('input->m0->logits'), { ...shape, hasMlp: false })).toThrow('attention-only');
  });
});

describe('[M26] flows between token positions', () => {
  test.each([
    'input@0->a0.h2@0',
    'input@5->a0.h1@9',
    'a0.h1@5->a1.h3@9',
    'a0.b@2->m0@2',
    'm1.b@7->m1@7',
    'm3@12->logits',
    'logits.b->logits',
  ])('%s is what it prints', (name) => {
    const edge = parsePlacedEdge(name);
    expect(printPlacedEdge(edge)).toBe(name);
    expect(() => checkPlacedEdge(edge, { ...shape, heads: 4 })).not.toThrow();
  });

  test.each(['input@0', 'a11.h3@120', 'a2.b@1', 'm0.b@3', 'logits', 'logits.b'])('place %s', (name) => {
    expect(printPlace(parsePlace(name))).toBe(name);
  });

  test.each(['input', 'a0.h0', 'logits@3', 'logits.b@3', 'm0@', 'm0@-1', 'm0@03', 'm0@1@2', '@1', 'm0@1.5'])('no place: %j', (name) => {
    expect(() => parsePlace(name)).toThrow(EngineError);
  });

  test.each([
    ['a0.h1@5', 'two places'],
    ['a0.h1@9->a1.h2@5', 'a key no later than its query'],
    ['a0.h1@5->m1@6', 'one position'],
    ['a1.h0@5->a0.h0@5', 'increasing stage order'],
    ['m1@5->m1@5', 'increasing stage order'],
    ['m1.b@5->a2.h0@5', 'a bias that flows into its own MLP'],
    ['m1.b@5->logits', 'a bias that flows into its own MLP'],
    ['logits.b->m0@1', 'increasing stage order'],
    ['logits->logits', 'a place that writes'],
    ['input@1->a2.b@1', 'a head, an MLP or logits that reads'],
    ['input@1->a4.h0@1', 'a layer below 4'],
    ['input@1->a3.h7@1', 'a head below 3'],
    ['input@1->a0.h0<q>@1', 'input, a0.h0'],
  ])('%s is refused: expected %s', (text, expected) => {
    expect(() => checkPlacedEdge(parsePlacedEdge(text), shape)).toThrow(expected);
  });

  test('are parts of nodes and edges', () => {
    expect(withoutPositions('a0.h1@5->a1.h3@19')).toBe('a0.h1->a1.h3');
    expect(withoutPositions('m1@5')).toBe('m1');
    expect(withoutPositions('a1.h3@5->logits')).toBe('a1.h3->logits');
  });
});

test('[M2] stages: heads before the MLP of a layer, together when parallel', () => {
  const stage = (name: string, parallel: boolean) => stageOf(parseNode(name), { ...shape, parallel });
  expect(['input', 'a0.h1', 'm0', 'a1.h0', 'm1.b', 'logits'].map((name) => stage(name, false))).toEqual([-1, 0, 1, 2, 3, 8]);
  expect(['a0.h1', 'm0', 'a1.b', 'm1'].map((name) => stage(name, true))).toEqual([0, 0, 1, 1]);
});

test('[M4], [M10] degree counts heads, MLPs and the block of a bias', () => {
  const degrees = ['input->logits', 'logits.b->logits', 'input->a0.h0->m1->logits', 'm2.b->a3.h1->logits', 'a0.b->logits'];
  expect(degrees.map((path) => degreeOf(parsePath(path)))).toEqual([0, 0, 2, 2, 1]);
});

describe('features [D1]', () => {
  const part = fc.oneof(fc.nat({ max: 999_999_999 }), fc.constantFrom('b' as const, 'error' as const));

  test('are read as they are printed', () => {
    fc.assert(
      fc.property(fc.nat({ max: 99 }), part, (layer, of) => {
        const name = printFeature({ layer, part: of });
        expect(parseFeature(name)).toEqual({ layer, part: of });
        expect(isFeatureName(name)).toBe(true);
        expect(parseFeaturePlace(`${name}@7`)).toEqual({ feature: { layer, part: of }, position: 7 });
        expect(parseFeaturePlace(name).position).toBeNull();
      }),
    );
  });

  test.each(['f2', 'f2.', 'f02.1', 'f2.01', 'f2.-1', 'f2.1.b', 'f2.bias', 'm2.1', 'f2.1 ', 'f2.1@5', ''])('%j is none', (name) => {
    expect(isFeatureName(name)).toBe(false);
    expect(() => parseFeature(name)).toThrow('feature name: expected f0.12, f0.b or f0.error');
  });

  test.each(['f2.1@', 'f2.1@05', 'f2.1@1@2', 'f2.1@x'])('%j is at no position', (name) => {
    expect(() => parseFeaturePlace(name)).toThrow('a feature with at most one position');
  });

  test('are no nodes of paths', () => {
    expect(() => parseNode('f2.1')).toThrow('node name');
  });
});
