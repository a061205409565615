import { EngineError, isEngineError, parseNode, parsePath } from '../engine/index.ts';

/**
 * What evidence says about its runs, in a grammar small enough to be read aloud:
 *
 *   predicate = quantity ( "<" | "<=" | ">" | ">=" ) number
 *   quantity  = "share(" terms ")"     Σ value / metric, signed, can pass 1
 *             | "mass(" terms ")"      Σ |value| / Σ |all|
 *             | "effect(" names ")"    new metric − clean metric; several names: all of them at once
 *             | "metric" | "error"
 *   terms     = "degree" ( "<" | "<=" | "=" | ">=" | ">" ) whole number | names
 *   names     = string { "," string }  paths, suffixes or nodes in the engine's grammar, in double quotes
 */
export type Comparison = '<' | '<=' | '>' | '>=';
export type DegreeComparison = Comparison | '=';

export type Terms = { of: 'degree'; comparison: DegreeComparison; degree: number } | { of: 'names'; names: string[] };

export type Quantity = { kind: 'share' | 'mass'; terms: Terms } | { kind: 'effect'; names: string[] } | { kind: 'metric' | 'error' };

export interface Predicate {
  quantity: Quantity;
  comparison: Comparison;
  right: number;
}

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
  const quantity = parser.quantity();
  const comparison = parser.sign(['<', '<=', '>', '>=']);
  const right = parser.number();
  parser.end();
  return { quantity, comparison, right };
}

export function printPredicate({ quantity, comparison, right }: Predicate): string {
  return `${printQuantity(quantity)} ${comparison} ${right}`;
}

function printQuantity(quantity: Quantity): string {
  switch (quantity.kind) {
    case 'share':
    case 'mass':
      return `${quantity.kind}(${printTerms(quantity.terms)})`;
    case 'effect':
      return `effect(${printNames(quantity.names)})`;
    case 'metric':
    case 'error':
      return quantity.kind;
  }
}

function printTerms(terms: Terms): string {
  return terms.of === 'degree' ? `degree ${terms.comparison} ${terms.degree}` : printNames(terms.names);
}

const printNames = (names: string[]) => names.map((name) => JSON.stringify(name)).join(', ');

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

  quantity(): Quantity {
    const expected = 'share, mass, effect, metric or error';
    const token = this.take('word', expected);
    switch (token.text) {
      case 'share':
      case 'mass':
        return { kind: token.text, terms: this.inBrackets(() => this.terms()) };
      case 'effect':
        return { kind: 'effect', names: this.inBrackets(() => this.names()) };
      case 'metric':
      case 'error':
        return { kind: token.text };
      default:
        throw wrong(token.column, expected, quote(token.text));
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
    if (token.kind !== 'end') throw wrong(token.column, 'nothing after the number', quote(token.text));
  }

  private terms(): Terms {
    const token = this.peek();
    if (token.kind !== 'word') return { of: 'names', names: this.names() };
    if (token.text !== 'degree') throw wrong(token.column, 'degree or a name in double quotes', quote(token.text));
    this.index++;
    const comparison = this.sign(['<', '<=', '=', '>=', '>'] as const);
    const at = this.peek().column;
    const degree = this.number();
    if (!Number.isSafeInteger(degree) || degree < 0) throw wrong(at, 'a whole number from 0', String(degree));
    return { of: 'degree', comparison, degree };
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
    try {
      const name: unknown = JSON.parse(token.text);
      if (typeof name !== 'string') throw new SyntaxError('not a string');
      if (name.includes('->')) parsePath(name);
      else parseNode(name);
      return name;
    } catch (error) {
      const expected = isEngineError(error) ? error.expected : 'a string as JSON writes it';
      throw wrong(token.column, expected, isEngineError(error) ? error.got : quote(token.text));
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
    if (token.kind !== kind) throw wrong(token.column, expected, token.kind === 'end' ? 'the end' : quote(token.text));
    this.index++;
    return token;
  }
}

function wrong(column: number, expected: string, got: string): EngineError {
  return new EngineError('bad-request', `predicate, column ${column}`, expected, got);
}

function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
