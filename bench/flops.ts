import { EngineError, parsePath, type ModelSpec } from '../lib/engine/index.ts';

/**
 * Floating-point operations of the matrix products that a computation needs (2 for a multiply-add);
 * norms, softmax and activations are not counted. S tokens.
 */
export class Flops {
  constructor(
    readonly spec: ModelSpec,
    readonly tokens: number,
  ) {}

  /** q, k, v and output projections of `tokens` rows, all heads. */
  get projections(): number {
    return 2 * this.tokens * 4 * this.spec.dModel * this.spec.heads * this.spec.dHead;
  }

  /** Scores and mixing, all heads; the causal half is computed like the other. */
  get attention(): number {
    return 4 * this.tokens * this.tokens * this.spec.heads * this.spec.dHead;
  }

  get mlp(): number {
    return 4 * this.tokens * this.spec.dModel * this.spec.dMlp;
  }

  get unembed(): number {
    return 2 * this.spec.dModel * this.spec.vocabulary;
  }

  get forward(): number {
    return this.spec.layers * (this.projections + this.attention + this.mlp) + this.unembed;
  }

  /** The factorized run: each MLP's output product runs twice, for what it carries and for its own bias. */
  get clean(): number {
    return this.spec.layers * (this.projections + this.attention + 1.5 * this.mlp);
  }

  /** K + 1 coefficients grow stage by stage; half of the projections (v and output) and of attention (mixing). */
  get degrees(): number {
    let total = 0;
    for (let layer = 0; layer < this.spec.layers; layer++) {
      const carried = 2 * layer + 1;
      total += carried * (this.projections / 2 + this.attention / 2);
      total += (carried + 1.5) * this.mlp;
    }
    return total;
  }

  /** Opening one suffix: the pull through its first node and the totals of `sources`. */
  open(first: string, sources: number): number {
    const { dModel, dHead } = this.spec;
    const head = 2 * this.tokens * (2 * dModel * dHead + this.tokens * dHead);
    const pull = first.startsWith('a') ? head : first.startsWith('m') ? this.mlp : 0;
    return pull + 2 * this.tokens * dModel * sources;
  }

  /** Distinct copies that these paths need; the last node before `logits` at one token. */
  pathEffects(paths: readonly string[]): number {
    const copies = new Map<string, number>();
    for (const name of paths) {
      const path = parsePath(name);
      for (let end = 2; end < path.length; end++) {
        const prefix = name.split('->').slice(0, end).join('->');
        const last = end === path.length - 1;
        const { node } = path[end - 1]!;
        const key = `${prefix}${last ? ' last' : ''}`;
        if (node.kind === 'head') copies.set(key, this.#head(last));
        else if (node.kind === 'mlp') copies.set(key, last ? this.mlp / this.tokens : this.mlp);
        else throw new EngineError('bad-path', name, 'heads and MLPs between its ends', prefix);
      }
    }
    return [...copies.values()].reduce((sum, flops) => sum + flops, 0);
  }

  #head(last: boolean): number {
    const { dModel, dHead } = this.spec;
    const rows = last ? 1 : this.tokens;
    return 2 * dModel * dHead * (2 * this.tokens + 2 * rows) + 4 * rows * this.tokens * dHead;
  }
}
