import { EngineError } from '../errors.ts';
import type { Layout, NormWeights, Rotary, Weight } from '../spec.ts';
import type { TensorTable } from '../weights.ts';

/** config.json as it was parsed. */
export type Config = Record<string, unknown>;

/** Reads fields and tensors by name, refusing what is missing, misshapen or unsupported. */
export class Reader {
  readonly #read = new Set<string>();

  constructor(
    readonly config: Config,
    readonly tensors: TensorTable,
    readonly prefix = '',
    /** what errors call the file of `config` */
    readonly file = 'config.json',
  ) {}

  size(...names: string[]): number {
    const name = names.find((candidate) => this.config[candidate] !== undefined) ?? names[0]!;
    const value = this.config[name];
    if (!Number.isSafeInteger(value) || (value as number) < 1) {
      throw new EngineError('bad-config', `${this.file}: ${name}`, 'a positive whole number', describe(value));
    }
    return value as number;
  }

  number(name: string): number {
    const value = this.config[name];
    if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) {
      throw new EngineError('bad-config', `${this.file}: ${name}`, 'a number that is not negative', describe(value));
    }
    return value;
  }

  oneOf<T extends string>(name: string, known: Record<string, T>): T {
    const value = this.config[name];
    if (typeof value !== 'string' || !Object.hasOwn(known, value)) {
      throw new EngineError('unsupported', `${this.file}: ${name}`, Object.keys(known).join(', '), describe(value));
    }
    return known[value]!;
  }

  /** Refuses a feature that would change the numbers. Absent counts as the first of `allowed`. */
  require(name: string, allowed: readonly unknown[]): void {
    const value = this.config[name];
    if (value !== undefined && !allowed.includes(value)) {
      throw new EngineError('unsupported', `${this.file}: ${name}`, allowed.map(describe).join(' or '), describe(value));
    }
  }

  /** @param prefix of the name in the file; default the reader's own */
  weight(name: string, shape: readonly number[], layout: Layout = { kind: 'as-is' }, prefix = this.prefix): Weight {
    const full = prefix + name;
    const stored = this.tensors.get(full);
    if (!stored) throw new EngineError('bad-weights', `tensor ${full}`, `shape [${shape.join()}]`, 'no such tensor');
    if (stored.shape.join() !== shape.join()) {
      throw new EngineError('bad-weights', `tensor ${full}`, `shape [${shape.join()}]`, `[${stored.shape.join()}]`);
    }
    this.#read.add(full);
    return { name: full, stored, layout };
  }

  optional(name: string, shape: readonly number[], layout: Layout = { kind: 'as-is' }): Weight | null {
    return this.tensors.has(this.prefix + name) ? this.weight(name, shape, layout) : null;
  }

  /** A PyTorch Linear: stored [outer, inner], acting as [inner, outer]. */
  linear(name: string, inner: number, outer: number): Weight {
    return this.weight(name, [outer, inner], { kind: 'transpose' });
  }

  /**
   * Refuses a tensor that nothing has read: it is part of the model, and leaving it out would be an approximation.
   * @param harmless names of buffers that files carry along
   */
  requireAllRead(harmless: RegExp): void {
    for (const name of this.tensors.keys()) {
      if (this.#read.has(name) || harmless.test(name)) continue;
      throw new EngineError('unsupported', `tensor ${name}`, 'only tensors that this family has', 'one that is not part of it');
    }
  }

  /**
   * Turning positions of `dims` channels without scaling. What `rope_parameters` says goes before the fields beside it.
   * @param partial whether the family may turn a part of a head's channels
   * @param bases fields beside `rope_parameters` that may hold the base
   */
  rotary(dims: number, { partial = false, bases = ['rope_theta'] }: { partial?: boolean; bases?: readonly string[] } = {}): Rotary {
    this.#requirePlainRope('rope_scaling', false);
    this.#requirePlainRope('rope_parameters', partial);
    const parameters = this.config['rope_parameters'] as Config | null | undefined;
    const field = bases.find((name) => this.config[name] != null) ?? bases[0]!;
    const inside = parameters?.['rope_theta'] != null;
    const base = inside ? parameters!['rope_theta'] : (this.config[field] ?? 10_000);
    if (typeof base !== 'number' || !(base > 0)) {
      const where = inside ? 'rope_parameters: rope_theta' : field;
      throw new EngineError('bad-config', `config.json: ${where}`, 'a positive number', describe(base));
    }
    return rotaryOf(dims, base);
  }

  #requirePlainRope(name: string, partial: boolean): void {
    const rope = this.config[name] as Config | null | undefined;
    const type = rope?.['rope_type'] ?? rope?.['type'] ?? 'default';
    if (type !== 'default') {
      throw new EngineError('unsupported', `config.json: ${name}`, 'rope_type "default", positions that are not scaled', describe(type));
    }
    const share = rope?.['partial_rotary_factor'] ?? 1;
    if (!partial && share !== 1) {
      throw new EngineError('unsupported', `config.json: ${name}: partial_rotary_factor`, '1', describe(share));
    }
  }
}

export function describe(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value);
}

/** @throws EngineError when `dims` cannot be paired */
export function rotaryOf(dims: number, base: number): Rotary {
  if (!Number.isInteger(dims / 2) || dims < 2) {
    throw new EngineError('bad-config', 'config.json: rotary dimensions', 'an even number of channels', String(dims));
  }
  return { dims, base };
}

/** No layer looks back a limited way. */
export function everywhere(layers: number): null[] {
  return new Array<null>(layers).fill(null);
}

export function normOf(reader: Reader, gamma: string, beta: string | null, d: number): NormWeights {
  return { gamma: reader.weight(gamma, [d]), beta: beta === null ? null : reader.weight(beta, [d]) };
}

export function missing(field: string, expected: string): EngineError {
  return new EngineError('bad-config', `config.json: ${field}`, expected, 'nothing');
}
