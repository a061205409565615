import { Bucket, type Rate } from './bucket.ts';

/** Of one person in one room; nobody who edits by hand comes near. */
const RATES = {
  /** long walks (see cost.ts): each of them is walked again whenever the room is loaded */
  walks: { burst: 400_000, perSecond: 200 },
  /** structs by which the document grows: what is deleted leaves most of them behind, so that a room full of them stays full */
  structs: { burst: 20_000, perSecond: 50 },
} as const satisfies Record<string, Rate>;

export type Budget = Record<keyof typeof RATES, Bucket>;

/** How many are kept before those of whom nothing is spent any more are forgotten. */
const MANY = 10_000;

/** What people may still do to rooms. It outlives the rooms in memory: whoever leaves and comes back has spent what they spent. */
export class Budgets {
  private readonly budgets = new Map<string, Budget>();
  private forgottenAt = 0;

  constructor(private readonly now: () => number) {}

  of(room: string, personId: string): Budget {
    const key = `${room} ${personId}`;
    const known = this.budgets.get(key);
    if (known) return known;
    if (this.budgets.size >= Math.max(MANY, 2 * this.forgottenAt)) this.forgetUnspent();
    const budget = { walks: new Bucket(RATES.walks, this.now), structs: new Bucket(RATES.structs, this.now) };
    this.budgets.set(key, budget);
    return budget;
  }

  private forgetUnspent(): void {
    for (const [key, { walks, structs }] of this.budgets) if (walks.isFull && structs.isFull) this.budgets.delete(key);
    this.forgottenAt = this.budgets.size;
  }
}
