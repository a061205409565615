import type { Page } from '@playwright/test';

/** Milliseconds between frames. */
export interface Frames {
  count: number;
  p50: number;
  p95: number;
  p99: number;
  max: number;
  /** frames that came half a frame late or later, at 60 Hz */
  late: number;
}

const FRAME_MS = 1000 / 60;

declare global {
  interface Window {
    frames_: number[];
  }
}

/** As a text: a compiler adds helpers to functions, which the page does not have. */
const RECORDER = `
  window.frames_ = [];
  requestAnimationFrame(function record(now) {
    window.frames_.push(now);
    requestAnimationFrame(record);
  });
`;

/** Frames of the page while `work` goes on. */
export async function recordFrames(page: Page, work: () => Promise<void>): Promise<Frames> {
  await page.evaluate(RECORDER);
  await work();
  const times = await page.evaluate(() => window.frames_);
  return statistics(times.slice(1).map((time, index) => time - times[index]!));
}

function statistics(values: readonly number[]): Frames {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
  return {
    count: values.length,
    p50: at(0.5),
    p95: at(0.95),
    p99: at(0.99),
    max: sorted.at(-1) ?? Number.NaN,
    late: values.filter((value) => value > 1.5 * FRAME_MS).length,
  };
}
