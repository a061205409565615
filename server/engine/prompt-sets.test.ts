import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  GENERATORS,
  examplesOf,
  parsePromptSet,
  resolveRequest,
  type Example,
  type Generator,
  type Texts,
} from '../../lib/engine/index.ts';
import { readCodec } from './model-folder.ts';

const FOLDER = fileURLToPath(new URL('../../public/models/attn-2l', import.meta.url));
const VOCABULARY = 3072;

/** Words with their space are one token, digits go in pairs: what years need. */
function wordTexts(): Texts {
  const known: string[] = [];
  return {
    encode(text, special) {
      const parts = text.match(/ ?[A-Za-z]+| ?\d\d|[^]/g) ?? [];
      return [...(special ? ['<s>'] : []), ...parts].map((part) => {
        if (!known.includes(part)) known.push(part);
        return known.indexOf(part);
      });
    },
    text: (id) => known[id] ?? '',
  };
}

function letterTexts(): Texts {
  return { encode: (text) => [...text].map((letter) => letter.codePointAt(0)!), text: (id) => String.fromCodePoint(id) };
}

describe.each<[string, () => Promise<Texts>, Generator[]]>([
  ['the built-in tokenizer', () => readCodec(join(FOLDER)), ['induction', 'ioi', 'docstring']],
  ['a tokenizer of words', async () => wordTexts(), ['ioi', 'greater-than', 'docstring']],
])('with %s', (_, textsOf, names) => {
  let texts: Texts;
  beforeAll(async () => {
    texts = await textsOf();
  });
  const draw = (name: Generator, count: number, seed: number) =>
    examplesOf({ generator: name, count, seed }, 'prompts', texts, VOCABULARY, 0);
  const resolve = (examples: Example[]) =>
    resolveRequest({ view: 'logits', model: 'any', prompts: { examples } }, texts, VOCABULARY).prompts!;

  test.each(names)('%s gives different prompts of one length, the same for the same seed', (name) => {
    const examples = draw(name, 30, 5);
    expect(examples).toHaveLength(30);
    expect(new Set(examples.map(({ clean }) => JSON.stringify(clean))).size).toBe(30);
    expect(draw(name, 30, 5)).toEqual(examples);
    expect(draw(name, 30, 6)).not.toEqual(examples);
    const resolved = resolve(examples);
    const [first] = resolved;
    for (const { tokens, counterfactualTokens, target, foil } of resolved) {
      expect(tokens).toHaveLength(first!.tokens.length);
      expect(counterfactualTokens).toHaveLength(first!.tokens.length);
      expect(counterfactualTokens).not.toEqual(tokens);
      expect(target).not.toBe(foil);
      expect(target).toEqual(expect.any(Number));
      expect(foil).toEqual(expect.any(Number));
    }
  });
});

describe('a task', () => {
  test('induction repeats a sequence, and its counterfactual copies the foil', () => {
    for (const { clean, counterfactual, target, foil } of examplesOf({ generator: 'induction', count: 20 }, 'prompts', null, 30, 3)) {
      const tokens = clean as number[];
      const half = (tokens.length + 1) / 2;
      expect(tokens.slice(half)).toEqual(tokens.slice(0, half - 1));
      expect(tokens[half - 1]).toBe(Number(target));
      expect((counterfactual as number[])[half - 1]).toBe(Number(foil));
      expect(tokens).not.toContain(Number(foil));
    }
  });

  test('induction leaves special tokens out', async () => {
    const codec = await readCodec(FOLDER);
    const drawn = examplesOf({ generator: 'induction', count: 1000 }, 'prompts', codec, VOCABULARY, 1);
    expect(drawn.flatMap(({ clean }) => clean as number[])).not.toContain(0);
  });

  test('ioi names the repeated name as the foil', () => {
    for (const { clean, counterfactual, target, foil } of examplesOf({ generator: 'ioi', count: 20 }, 'prompts', wordTexts(), 1000, 3)) {
      const times = (text: string, name: string) => text.split(`${name} `).length + text.split(`${name},`).length - 2;
      expect([times(clean as string, target!), times(clean as string, foil!)]).toEqual([1, 2]);
      expect([times(counterfactual as string, target!), times(counterfactual as string, foil!)]).toEqual([1, 1]);
    }
  });

  test('greater-than has a later year for target, an earlier one for foil, and starts in 01 in the counterfactual', () => {
    for (const { clean, counterfactual, target, foil } of examplesOf({ generator: 'greater-than', count: 20 }, 'p', wordTexts(), 1000, 3)) {
      const [, year] = /year \d\d(\d\d) /.exec(clean as string)!;
      expect(Number(target!.slice(5))).toBeGreaterThan(Number(year));
      expect(Number(foil!.slice(5))).toBeLessThan(Number(year));
      expect((clean as string).replace(`${year} to`, '01 to')).toBe(counterfactual);
    }
  });

  test.each<[Generator, string]>([
    ['ioi', 'ioi prompts: expected at least 2 names that are one token after a space, got none'],
    ['greater-than', 'greater-than prompts: expected a tokenizer with years as two tokens of two digits'],
    ['docstring', 'docstring prompts: expected at least 8 argument names that are one token after a space, got none'],
  ])('%s says what a tokenizer lacks', (name, message) => {
    expect(() => examplesOf({ generator: name, count: 1 }, 'prompts', letterTexts(), 200, 0)).toThrow(message);
    expect(() => examplesOf({ generator: name, count: 1 }, 'prompts', null, 200, 0)).toThrow('expected a model with a tokenizer.json');
  });

  test('greater-than is refused by the built-in tokenizer', async () => {
    const codec = await readCodec(FOLDER);
    expect(() => examplesOf({ generator: 'greater-than', count: 1 }, 'prompts', codec, VOCABULARY, 0)).toThrow(
      'got other tokens for years',
    );
  });

  test('too many, too few, or of an unknown kind', () => {
    const draw = (generator: string, count: number, vocabulary = 30) =>
      examplesOf({ generator: generator as Generator, count }, 'prompts', null, vocabulary, 0);
    expect(() => draw('induction', 0)).toThrow('prompts: count: expected from 1 to 1000 examples, got 0');
    expect(() => draw('induction', 1001)).toThrow('got 1001');
    expect(() => draw('induction', 1, 5)).toThrow('induction prompts: expected at least 9 tokens that are not special, got 5');
    expect(() => draw('gossip', 1)).toThrow(`generator: expected ${GENERATORS.join(', ')}`);
  });
});

describe('a file of prompts', () => {
  test('is one JSON object a line', () => {
    const text = '{"clean": "When Mary", "target": " John"}\n\n{"clean": [1, 2], "counterfactual": [3, 4], "foil": "none", "target": 7}\n';
    expect(parsePromptSet(text, 'set.jsonl')).toEqual({
      name: 'set.jsonl',
      examples: [
        { clean: 'When Mary', target: ' John' },
        { clean: [1, 2], counterfactual: [3, 4], foil: 'none', target: '7' },
      ],
    });
  });

  test.each([
    ['', 'set.jsonl: expected at least one example, got none'],
    ['{"clean": "a"}\n{"clean": ', 'set.jsonl line 2: expected one JSON object'],
    ['[1]', 'set.jsonl line 1: expected a JSON object, got [1]'],
    ['{"target": "a"}', 'set.jsonl line 1: clean: expected a text or token ids, got nothing'],
    ['{"clean": "a"}\n\n{"clean": [1.5]}', 'set.jsonl line 3: clean: expected a text or token ids, got [1.5]'],
    ['{"clean": "a", "target": 5.5}', 'set.jsonl line 1: target: expected a text or a token id, got 5.5'],
    ['{"clean": "a", "prompt": "b"}', 'set.jsonl line 1: expected clean, counterfactual, target, foil, got the field "prompt"'],
    ['{"clean": "a"}\n'.repeat(1001), 'set.jsonl: expected at most 1000 examples, got more'],
  ])('%#: errors name the line', (text, message) => {
    expect(() => parsePromptSet(text, 'set.jsonl')).toThrow(message);
  });

  test('its texts become tokens, and errors name the example', () => {
    const texts = wordTexts();
    const resolve = (examples: Example[]) => resolveRequest({ view: 'logits', model: 'any', prompts: { examples } }, texts, 100).prompts;
    expect(resolve([{ clean: 'a b', target: ' b', foil: 'none' }])).toEqual([{ tokens: texts.encode('a b', true), target: 2, foil: null }]);
    expect(() => resolve([{ clean: [1] }, { clean: [1], foil: ' b c' }])).toThrow('prompts example 2: foil: expected one token');
    expect(() => resolve([{ clean: '' }])).toThrow('prompts example 1: clean: expected at least one character');
  });
});
