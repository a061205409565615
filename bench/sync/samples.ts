/** Numbers as they come, without a limit and without an object each. */
export class Samples {
  private values = new Float32Array(4096);
  private length = 0;

  push(value: number): void {
    if (this.length === this.values.length) {
      const grown = new Float32Array(2 * this.length);
      grown.set(this.values);
      this.values = grown;
    }
    this.values[this.length++] = value;
  }

  take(): Float32Array {
    const taken = this.values.slice(0, this.length);
    this.length = 0;
    return taken;
  }
}

export interface Percentiles {
  count: number;
  p50: number;
  p95: number;
  p99: number;
  max: number;
}

/** By nearest rank; null where there is nothing to rank. */
export function percentiles(parts: readonly Float32Array[]): Percentiles | null {
  const count = parts.reduce((total, { length }) => total + length, 0);
  if (count === 0) return null;
  const all = new Float32Array(count);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  all.sort();
  const rank = (share: number) => all[Math.min(count - 1, Math.ceil(share * count) - 1)]!;
  return { count, p50: rank(0.5), p95: rank(0.95), p99: rank(0.99), max: all[count - 1]! };
}
