import { expect, type Locator, type Page } from '@playwright/test';

type Role = 'owner' | 'editor' | 'commenter' | 'viewer';

/** People and invitation links: in a board's Share dialog, or on the page of a workspace. */
export class SharePage {
  readonly people: Locator;

  constructor(
    readonly page: Page,
    readonly place: Locator = page.getByRole('dialog', { name: 'Share this board' }),
  ) {
    this.people = this.place.getByRole('list', { name: 'People' });
  }

  person(name: string): Locator {
    return this.people.locator(`[data-member="${name}"]`);
  }

  /** The address of a new invitation. */
  async link(role: Exclude<Role, 'owner'>, { days, uses }: { days?: number; uses?: number } = {}): Promise<string> {
    const form = this.place.getByRole('form', { name: 'Make a link' });
    await form.getByLabel('Role').selectOption(role);
    if (days !== undefined) await form.getByLabel('Works for (days)').fill(String(days));
    await form.getByLabel('For how many people').fill(uses === undefined ? '' : String(uses));
    const field = this.place.getByTestId('invite-link');
    const before = (await field.count()) > 0 ? await field.inputValue() : '';
    await form.getByRole('button', { name: 'Make a link' }).click();
    await expect(field).toHaveValue(/\/join\//);
    await expect(field).not.toHaveValue(before);
    return field.inputValue();
  }

  async setRole(name: string, role: Role): Promise<void> {
    await this.person(name).getByLabel(`Role of ${name}`).selectOption(role);
    await expect(this.person(name).getByLabel(`Role of ${name}`)).toHaveValue(role);
  }

  async remove(name: string): Promise<void> {
    await this.person(name)
      .getByRole('button', { name: `Remove ${name}` })
      .click();
    await this.person(name).getByRole('button', { name: 'Remove', exact: true }).click();
    await expect(this.person(name)).toHaveCount(0);
  }

  async close(): Promise<void> {
    await this.place.getByRole('button', { name: 'Close' }).click();
    await expect(this.place).toBeHidden();
  }
}
