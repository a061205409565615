/** How much of something may come in a second, and at once. */
export interface Rate {
  perSecond: number;
  burst: number;
}

/** Fills at a steady rate up to its size; whoever takes more than there is takes too much. */
export class Bucket {
  private level: number;
  private at: number;

  constructor(
    private readonly rate: Rate,
    private readonly now: () => number,
  ) {
    this.level = rate.burst;
    this.at = now();
  }

  take(amount: number): boolean {
    this.fill();
    if (this.level < amount) return false;
    this.level -= amount;
    return true;
  }

  giveBack(amount: number): void {
    this.level = Math.min(this.rate.burst, this.level + amount);
  }

  get isFull(): boolean {
    this.fill();
    return this.level >= this.rate.burst;
  }

  private fill(): void {
    const now = this.now();
    this.level = Math.min(this.rate.burst, this.level + (Math.max(0, now - this.at) / 1000) * this.rate.perSecond);
    this.at = now;
  }
}
