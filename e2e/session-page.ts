import { expect, type Locator, type Page } from '@playwright/test';
import type { BoardPage } from './board-page.ts';

/** The page of an annotation session as a person sees it. */
export class SessionPage {
  readonly state: Locator;
  readonly banner: Locator;
  readonly anchor: Locator;
  readonly progress: Locator;
  readonly outbox: Locator;
  readonly agreement: Locator;

  constructor(readonly page: Page) {
    this.state = page.locator('[data-state]');
    this.banner = page.getByTestId('banner');
    this.anchor = page.getByTestId('anchor');
    this.progress = page.getByTestId('progress');
    this.outbox = page.getByTestId('outbox');
    this.agreement = page.getByTestId('agreement');
  }

  async isReady(): Promise<void> {
    await expect(this.page.locator('[data-connection]')).toHaveAttribute('data-connection', 'connected');
  }

  async show(part: 'Your queue' | 'Facilitate' | 'Results'): Promise<void> {
    await this.page.getByRole('navigation', { name: 'Parts of the session' }).getByRole('button', { name: part }).click();
  }

  /** Gives labels by their keys, one item after the other, and waits until the server has them all. */
  async press(...keys: string[]): Promise<void> {
    for (const key of keys) await this.page.keyboard.press(key);
  }

  async isSent(): Promise<void> {
    await expect(this.page.locator('[data-connection]')).toHaveAttribute('data-unsaved', '0');
  }

  item(item: number): Locator {
    return this.page.locator(`[data-item="${item}"]`);
  }

  /** One's own labels in the order of the queue. */
  async labels(): Promise<(string | null)[]> {
    return this.page.locator('[data-item]').evaluateAll((rows) => rows.map((row) => row.getAttribute('data-label')));
  }

  annotator(name: string): Locator {
    return this.page.locator(`[data-annotator="${name}"]`);
  }

  result(item: number): Locator {
    return this.page.locator(`[data-result="${item}"]`);
  }

  /** Of a row of the agreement, at full precision. */
  async kappa(row: string): Promise<number> {
    return Number(await this.agreement.locator(`[data-row="${row}"]`).getByTestId('kappa').getAttribute('data-exact'));
  }
}

/** Sets a session up from the board's header; the page is the session's afterwards. */
export async function setUpSession(
  board: BoardPage,
  { name, labels, count, people }: { name: string; labels: string[]; count: number; people: string[] },
) {
  const { page } = board;
  await page.getByRole('button', { name: /^Sessions/ }).click();
  const dialog = page.getByRole('dialog', { name: 'Annotation sessions' });
  await dialog.getByRole('button', { name: 'Set up a session' }).click();
  await dialog.getByLabel('Name', { exact: true }).fill(name);
  await dialog.getByLabel('Label set, one a line').fill(labels.join('\n'));
  await dialog.getByLabel('How many').fill(String(count));
  await expect(dialog.getByTestId('preview')).toHaveText(`The queue: ${count} items`);
  for (const person of people) await dialog.getByRole('checkbox', { name: new RegExp(`^${person} `) }).check();
  return dialog;
}

export async function openSetUp(dialog: Locator, page: Page): Promise<SessionPage> {
  await dialog.getByRole('button', { name: 'Open the session' }).click();
  await page.waitForURL(/\/sessions\//);
  const session = new SessionPage(page);
  await session.isReady();
  return session;
}

/** From the board's list, as those who are asked to label come. */
export async function enterSession(board: BoardPage, name: string): Promise<SessionPage> {
  await board.page.getByRole('button', { name: /^Sessions/ }).click();
  await board.page.getByRole('dialog').getByRole('link', { name }).click();
  await board.page.waitForURL(/\/sessions\//);
  const session = new SessionPage(board.page);
  await session.isReady();
  return session;
}
