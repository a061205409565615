import type { Values } from './options.ts';

export function write(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** One JSON value, or lines for people. */
export function print(value: unknown, { json }: Pick<Values, 'json'>, lines: () => Iterable<string>): void {
  if (json) return write(JSON.stringify(value));
  for (const line of lines()) write(line);
}

/** How far something is, on a line that is written over, for who sits at a terminal. */
export function showProgress(line: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${line}`);
}

export function clearProgress(): void {
  showProgress('');
}

/** Runs `work` until it ends or somebody presses Ctrl-C. */
export async function untilInterrupted<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController();
  const interrupt = () => stop.abort();
  process.once('SIGINT', interrupt);
  try {
    return await work(stop.signal);
  } finally {
    process.removeListener('SIGINT', interrupt);
    clearProgress();
  }
}

export function bytesOf(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB'];
  let unit = 0;
  let value = bytes;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

/** Cells in columns, the first one to the left. */
export function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = rows.reduce<number[]>((most, row) => row.map((cell, i) => Math.max(most[i] ?? 0, cell.length)), []);
  return rows.map((row) => row.map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i] ?? 0))).join('  '));
}
