import { EngineError, isEngineError, isFeatureName, parseNode, parsePath } from '../engine/index.ts';

/**
 * What evidence says about its runs, in a grammar small enough to be read aloud:
 *
 *   predicate = test { "and" test }
 *   test      = quantity ( "<" | "<=" | ">" | ">=" ) number
 *   quantity  = "share(" terms ")"     Σ value / metric, signed, can pass 1
 *             | "mass(" terms ")"      Σ |value| / Σ |all|
 *             | "metric" | "error"
 *             | "effect(" names ")"    new metric − clean metric; several names: all of them at once
 *             | "magnitude(" names ")" |effect|
 *             | "quantile(" name ")"   of a path among the other paths of its run, all of its degree: how many have a
 *                                      smaller |effect|, as a share
 *             | "interaction(" name "," name ")"  effect of both at once − the effect of each [M16]
 *             | "redundancy(" name "," name ")"   interaction / effect of both at once: what neither shows alone
 *             | "compensation(" name ")"          1 − real / frozen drop of the metric after an ablation [M24]
 *             | "recovered"            share of the loss that a scrubbed hypothesis recovers [M17]
 *             | "defect(" ( "max" | block ) ")"   additivity defect of a block as it is, or of the least additive one [M19]
 *             | "naive(degree <=" whole ")"       error of the naive expansion up to a degree [M15]
 *             | "loss(degree <=" whole ")"        loss, in nats, from paths up to a degree alone [M25]
 *             | "loss(degree >" whole ")"         how much lower the loss is with the paths beyond it [M25]
 *   terms     = "degree" ( "<" | "<=" | "=" | ">=" | ">" ) whole | names
 *   names     = name { "," name }      paths, suffixes, edges, nodes or features in the engine's grammar, in double quotes
 *   block     = "m0", "a0" (all heads of a layer) or, where both read the same, "a0+m0", in double quotes
 */
export type Comparison = '<' | '<=' | '>' | '>=';
export type DegreeComparison = Comparison | '=';

export type Terms = { of: 'degree'; comparison: DegreeComparison; degree: number } | { of: 'names'; names: string[] };

export type Quantity =
  | { kind: 'share' | 'mass'; terms: Terms }
  | { kind: 'effect' | 'magnitude'; names: string[] }
  | { kind: 'interaction' | 'redundancy'; pair: [string, string] }
  | { kind: 'quantile' | 'compensation'; name: string }
  /** null = the largest */
  | { kind: 'defect'; block: string | null }
  | { kind: 'naive'; degree: number }
  | { kind: 'loss'; comparison: '<=' | '>'; degree: number }
  | { kind: 'metric' | 'error' | 'recovered' };

export interface Test {
  quantity: Quantity;
  comparison: Comparison;
  right: number;
}

/** All of its tests at once. */
export interface Predicate {
  tests: [Test, ...Test[]];
}

const QUANTITIES = [
  'share',
  'mass',
  'metric',
  'error',
  'effect',
  'magnitude',
  'quantile',
  'interaction',
  'redundancy',
  'compensation',
  'recovered',
  'defect',
  'naive',
  'loss',
] as const satisfies readonly Quantity['kind'][];
const EXPECTED = `${QUANTITIES.slice(0, -1).join(', ')} or ${QUANTITIES.at(-1)}`;
const BLOCK = /^(?:a(?:0|[1-9]\d*)|m(?:0|[1-9]\d*)|a(0|[1-9]\d*)\+m\1)$/;

interface Token {
  kind: 'word' | 'number' | 'string' | 'sign' | 'end';
  text: string;
  /** from 1 */
  column: number;
}

const TOKEN = /\s*(?:([a-z]+)|([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)|("(?:[^"\\]|\\.)*")|(<=|>=|<|>|=|\(|\)|,))/iy;
const KINDS = ['word', 'number', 'string', 'sign'] as const;

/** Throws an EngineError that says at which column what was expected. */
export function parsePredicate(source: string): Predicate {
  const parser = new Parser(tokensOf(source));
  const tests: Predicate['tests'] = [parser.test()];
  while (parser.takesAnd()) tests.push(parser.test());
  parser.end();
  return { tests };
}

export function printPredicate({ tests }: Predicate): string {
  return tests.map(printTest).join(' and ');
}

export function printTest({ quantity, comparison, right }: Test): string {
  return `${printQuantity(quantity)} ${comparison} ${right}`;
}

function printQuantity(quantity: Quantity): string {
  switch (quantity.kind) {
    case 'share':
    case 'mass':
      return `${quantity.kind}(${printTerms(quantity.terms)})`;
    case 'effect':
    case 'magnitude':
      return `${quantity.kind}(${printNames(quantity.names)})`;
    case 'interaction':
    case 'redundancy':
      return `${quantity.kind}(${printNames(quantity.pair)})`;
    case 'quantile':
    case 'compensation':
      return `${quantity.kind}(${printNames([quantity.name])})`;
    case 'defect':
      return `defect(${quantity.block === null ? 'max' : printNames([quantity.block])})`;
    case 'naive':
      return `naive(degree <= ${quantity.degree})`;
    case 'loss':
      return `loss(degree ${quantity.comparison} ${quantity.degree})`;
    case 'metric':
    case 'error':
    case 'recovered':
      return quantity.kind;
  }
}

function printTerms(terms: Terms): string {
  return terms.of === 'degree' ? `degree ${terms.comparison} ${terms.degree}` : printNames(terms.names);
}

const printNames = (names: readonly string[]) => names.map((name) => JSON.stringify(name)).join(', ');

function tokensOf(source: string): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  let at = 0;
  while (source.slice(at).trim() !== '') {
    const match = TOKEN.exec(source);
    if (!match) {
      const column = source.length - source.slice(at).trimStart().length + 1;
      throw wrong(column, 'a word, a number, a name in double quotes, a comparison, a bracket or a comma', quote(source.slice(column - 1)));
    }
    const group = match.slice(1).findIndex((part) => part !== undefined);
    const text = match[group + 1] ?? '';
    at = TOKEN.lastIndex;
    tokens.push({ kind: KINDS[group] ?? 'sign', text, column: at - text.length + 1 });
  }
  tokens.push({ kind: 'end', text: '', column: source.length + 1 });
  return tokens;
}

class Parser {
  private index = 0;
  constructor(private readonly tokens: Token[]) {}

  test(): Test {
    const quantity = this.quantity();
    const comparison = this.sign(['<', '<=', '>', '>=']);
    return { quantity, comparison, right: this.number() };
  }

  takesAnd(): boolean {
    const { kind, text } = this.peek();
    if (kind !== 'word' || text !== 'and') return false;
    this.index++;
    return true;
  }

  private quantity(): Quantity {
    const token = this.take('word', EXPECTED);
    const kind = QUANTITIES.find((known) => known === token.text);
    switch (kind) {
      case 'share':
      case 'mass':
        return { kind, terms: this.inBrackets(() => this.terms()) };
      case 'effect':
      case 'magnitude':
        return { kind, names: this.inBrackets(() => this.names()) };
      case 'interaction':
      case 'redundancy':
        return { kind, pair: this.inBrackets(() => this.pair()) };
      case 'quantile':
      case 'compensation':
        return { kind, name: this.inBrackets(() => this.name()) };
      case 'defect':
        return { kind, block: this.inBrackets(() => this.block()) };
      case 'naive':
        return { kind, degree: this.inBrackets(() => this.degree(['<='])).degree };
      case 'loss':
        return { kind, ...this.inBrackets(() => this.degree(['<=', '>'])) };
      case 'metric':
      case 'error':
      case 'recovered':
        return { kind };
      case undefined:
        throw wrong(token.column, EXPECTED, quote(token.text));
    }
  }

  sign<S extends string>(signs: readonly S[]): S {
    const expected = signs.join(' or ');
    const token = this.take('sign', expected);
    const found = signs.find((sign) => sign === token.text);
    if (found === undefined) throw wrong(token.column, expected, quote(token.text));
    return found;
  }

  number(): number {
    const token = this.take('number', 'a number');
    const value = Number(token.text);
    if (!Number.isFinite(value)) throw wrong(token.column, 'a number that float64 can hold', token.text);
    // −0 and 0 compare alike and must print alike
    return value === 0 ? 0 : value;
  }

  end(): void {
    const token = this.peek();
    if (token.kind !== 'end') throw wrong(token.column, 'nothing after the number, or and', quote(token.text));
  }

  private terms(): Terms {
    const token = this.peek();
    if (token.kind !== 'word') return { of: 'names', names: this.names() };
    return { of: 'degree', ...this.degree(['<', '<=', '=', '>=', '>']) };
  }

  private degree<S extends DegreeComparison>(signs: readonly S[]): { comparison: S; degree: number } {
    const word = this.peek();
    if (word.kind !== 'word' || word.text !== 'degree') {
      throw wrong(word.column, signs.length > 2 ? 'degree or a name in double quotes' : 'degree', gotOf(word));
    }
    this.index++;
    const comparison = this.sign(signs);
    const at = this.peek().column;
    const degree = this.number();
    if (!Number.isSafeInteger(degree) || degree < 0) throw wrong(at, 'a whole number from 0', String(degree));
    return { comparison, degree };
  }

  private block(): string | null {
    const { kind, text } = this.peek();
    if (kind === 'word' && text === 'max') {
      this.index++;
      return null;
    }
    const token = this.take('string', 'max or a block in double quotes');
    const block = textOf(token);
    if (!BLOCK.test(block)) throw wrong(token.column, 'a block: a0, m0 or a0+m0', quote(block));
    return block;
  }

  private pair(): [string, string] {
    const { column } = this.peek();
    const [first, second, ...more] = this.names();
    if (first === undefined || second === undefined || more.length > 0)
      throw wrong(column, 'two names', second === undefined ? 'one' : 'more');
    return [first, second];
  }

  private names(): string[] {
    const names = [this.name()];
    while (this.peek().text === ',' && this.peek().kind === 'sign') {
      this.index++;
      const { column } = this.peek();
      const name = this.name();
      if (names.includes(name)) throw wrong(column, 'each name once', quote(name));
      names.push(name);
    }
    return names;
  }

  private name(): string {
    const token = this.take('string', 'a name in double quotes');
    const name = textOf(token);
    try {
      if (isFeatureName(name)) return name;
      if (name.includes('->')) parsePath(name);
      else parseNode(name);
      return name;
    } catch (error) {
      if (!isEngineError(error)) throw error;
      throw wrong(token.column, error.expected, error.got);
    }
  }

  private inBrackets<T>(inner: () => T): T {
    this.sign(['(']);
    const value = inner();
    this.sign([')']);
    return value;
  }

  private peek(): Token {
    return this.tokens[this.index] ?? { kind: 'end', text: '', column: 1 };
  }

  private take(kind: Token['kind'], expected: string): Token {
    const token = this.peek();
    if (token.kind !== kind) throw wrong(token.column, expected, gotOf(token));
    this.index++;
    return token;
  }
}

function textOf(token: Token): string {
  try {
    return String(JSON.parse(token.text));
  } catch {
    throw wrong(token.column, 'a string as JSON writes it', quote(token.text));
  }
}

function gotOf(token: Token): string {
  return token.kind === 'end' ? 'the end' : quote(token.text);
}

function wrong(column: number, expected: string, got: string): EngineError {
  return new EngineError('bad-request', `predicate, column ${column}`, expected, got);
}

function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
