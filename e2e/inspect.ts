import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { expect } from './actors.ts';

export const FOLDER = new URL('../test-results/screens/', import.meta.url).pathname;
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
export const WIDE = { width: 1440, height: 900 };
const NARROW = { width: 375, height: 812 };

/** Looks at a screen in both colour schemes, wide and narrow: no rule of WCAG AA is broken, nothing sticks out. */
export async function inspect(page: Page, name: string): Promise<void> {
  await expect(page, name).toHaveTitle(/\S/);
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    expect.soft(await violationsOn(page), `${name}, ${colorScheme}`).toEqual([]);
    await page.screenshot({ path: `${FOLDER}${name}-${colorScheme}.png` });
  }
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize(NARROW);
  expect.soft(await overflowOf(page), `${name}, narrow`).toBeLessThanOrEqual(0);
  await page.screenshot({ path: `${FOLDER}${name}-narrow.png`, fullPage: true });
  await page.setViewportSize(WIDE);
}

/** Rules of WCAG AA that the page breaks as it is, each with where. */
export async function violationsOn(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).withTags(RULES).analyze();
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join('\n  ')}`);
}

/** Pixels by which the page, or a dialog on it, is wider than its window. */
export function overflowOf(page: Page): Promise<number> {
  return page.evaluate(() =>
    Math.max(...[document.documentElement, ...document.querySelectorAll('dialog[open]')].map((one) => one.scrollWidth - one.clientWidth)),
  );
}
