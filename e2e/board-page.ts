import { expect, type Locator, type Page } from '@playwright/test';
import { SharePage } from './share-page.ts';

/** An open board as a person sees it. */
export class BoardPage {
  readonly grid: Locator;
  readonly inspector: Locator;
  readonly connection: Locator;
  /** what the server said about this person's access, or what was just done */
  readonly notice: Locator;

  constructor(readonly page: Page) {
    this.grid = page.getByRole('treegrid');
    this.inspector = page.getByRole('complementary', { name: 'Inspector' });
    this.connection = page.locator('[data-connection]');
    this.notice = page.getByTestId('notice');
  }

  async isReady(): Promise<void> {
    await expect(this.page.getByTestId('metric')).toBeVisible({ timeout: 30_000 });
    await expect(this.connection).toHaveAttribute('data-connection', 'connected');
  }

  /** All that this person did is stored. */
  async isSaved(): Promise<void> {
    await expect(this.connection).toHaveAttribute('data-unsaved', '0');
  }

  row(path: string): Locator {
    return this.page.locator(`[role=row][data-path="${path}"]`);
  }

  /** Names of the rows shown, below `logits`. */
  async paths(kind: 'suffix' | 'complete'): Promise<string[]> {
    const rows = this.page.locator(kind === 'suffix' ? '[data-path*="->"][aria-expanded]' : '[data-path*="->"]:not([aria-expanded])');
    await expect(rows.first()).toBeVisible();
    return rows.evaluateAll((elements) => elements.map((element) => element.getAttribute('data-path') ?? ''));
  }

  async select(path: string): Promise<void> {
    await this.row(path).click();
    await expect(this.page.getByTestId('selected-path')).toHaveText(path);
  }

  async show(view: 'Unravel' | 'Graph' | 'Degrees' | 'Heads' | 'Weights' | 'Interactions' | 'Analyses' | 'Claims'): Promise<void> {
    await this.page.getByRole('navigation', { name: 'Views' }).getByRole('button', { name: view, exact: true }).click();
  }

  async label(text: string): Promise<void> {
    await this.inspector.getByLabel('Add a label').fill(text);
    await this.inspector.getByRole('button', { name: 'Add', exact: true }).click();
    await expect(this.inspector.locator(`[data-label="${text}"]`)).toBeVisible();
  }

  async comment(text: string): Promise<void> {
    await this.inspector.getByLabel('Write a comment').fill(text);
    await this.inspector.getByRole('button', { name: 'Comment', exact: true }).click();
  }

  /** A comment that the server has. */
  said(text: string): Locator {
    return this.inspector.locator('[data-comment]').filter({ hasText: text });
  }

  async metric(): Promise<string> {
    return (await this.page.getByTestId('metric').textContent()) ?? '';
  }

  async share(): Promise<SharePage> {
    await this.page.getByRole('button', { name: 'Share', exact: true }).click();
    const share = new SharePage(this.page);
    await expect(share.people).toBeVisible();
    return share;
  }

  /** The address of an invitation. */
  async invite(role: 'editor' | 'commenter' | 'viewer' = 'editor'): Promise<string> {
    const share = await this.share();
    const link = await share.link(role);
    await share.close();
    return link;
  }

  /** The published page's address. */
  async publish(fields: { title: string; question: string; findings: string }): Promise<string> {
    await this.page.getByRole('button', { name: 'Publish', exact: true }).first().click();
    const dialog = this.page.getByRole('dialog');
    await dialog.getByLabel('Title').fill(fields.title);
    await dialog.getByLabel('Question').fill(fields.question);
    await dialog.getByLabel('Findings').fill(fields.findings);
    await dialog.getByRole('button', { name: 'Publish', exact: true }).click();
    const link = this.page.getByTestId('published-link');
    await expect(link).toBeVisible();
    const address = (await link.getAttribute('href')) ?? '';
    await dialog.getByRole('button', { name: 'Close' }).click();
    return address;
  }
}
