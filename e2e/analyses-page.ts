import { expect, type Locator, type Page } from '@playwright/test';
import { cellsOf, saved } from './csv.ts';

/** The analyses of an open board as a person sees them. */
export class AnalysesPage {
  readonly form: Locator;
  readonly result: Locator;
  readonly facts: Locator;
  readonly terms: Locator;

  constructor(readonly page: Page) {
    this.form = page.getByRole('form', { name: 'Settings of the analysis' });
    this.result = page.getByTestId('analysis-result');
    this.facts = page.getByTestId('analysis-facts');
    this.terms = page.getByRole('grid', { name: 'Terms' });
  }

  async choose(title: string): Promise<void> {
    await this.page.getByRole('navigation', { name: 'Analyses' }).getByRole('button', { name: title, exact: true }).click();
    await expect(this.page.getByRole('heading', { level: 2, name: title, exact: true })).toBeVisible();
  }

  async run(): Promise<void> {
    await this.form.getByRole('button', { name: 'Run' }).click();
    await this.isDone();
  }

  async isDone(): Promise<void> {
    await expect(this.result).toBeVisible({ timeout: 60_000 });
    await expect(this.form.getByRole('button', { name: 'Run' })).toBeEnabled();
  }

  /** Exact numbers of a column by name, of the rows in sight. */
  async numbers(column: string): Promise<Map<string, number>> {
    await expect(this.terms.locator('[data-term]').first()).toBeVisible();
    const found = await this.terms
      .locator('[data-term]')
      .evaluateAll(
        (rows, key) =>
          rows.map((row): [string, number] => [
            row.getAttribute('data-term') ?? '',
            Number(row.querySelector(`[data-column="${key}"]`)?.getAttribute('data-exact') ?? Number.NaN),
          ]),
        column,
      );
    return new Map(found);
  }

  /** The downloaded file's name and its cells; what this reads has no quoted line ends. */
  async csv(): Promise<{ file: string; head: string[]; rows: string[][] }> {
    const { file, text } = await saved(this.page, this.result.getByRole('button', { name: /^Download .* as CSV$/ }));
    return { file, ...cellsOf(text) };
  }
}
