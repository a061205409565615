/** One piece of work after another, in the order in which they came. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  /** How many have not ended yet. */
  get waiting(): number {
    return this.#waiting;
  }

  async take<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#last;
    this.#waiting += 1;
    const mine = before.then(work, work);
    this.#last = mine.catch(() => {});
    try {
      return await mine;
    } finally {
      this.#waiting -= 1;
    }
  }
}
