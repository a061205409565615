import type { Page } from '@playwright/test';
import { expect, follow, test, unravel } from './actors.ts';
import { inspect } from './inspect.ts';

/** axe looks at every screen twice, which takes a while where few cores are free. */
test.setTimeout(300_000);

test('the screens about people, workspaces and versions are accessible in light and dark, and fit a phone', async ({ owner, visitor }) => {
  await visitor.goto('/sign-in');
  await inspect(visitor, 'sign-in');
  await owner.goto('/account');
  await expect(owner.getByTestId('sessions')).toBeVisible();
  await inspect(owner, 'account');
  await owner.goto('/');
  const board = await unravel(owner);
  const [path = ''] = await board.paths('complete');
  await board.select(path);
  await board.label('copies the phrase');
  await board.comment('Said before Vera came.');
  await expect(board.said('Said before Vera came.')).toBeVisible();

  const share = await board.share();
  await share.link('commenter', { uses: 1 });
  const guest = await follow(visitor, await share.link('viewer'), 'Vera Lind');
  await share.close();
  await owner.getByRole('button', { name: 'Share', exact: true }).click();
  await expect(share.person('Vera Lind')).toBeVisible();
  await share.person('Vera Lind').getByRole('button', { name: 'Remove Vera Lind' }).click();
  await inspect(owner, 'board-share');
  await share.close();

  await guest.select(path);
  await inspect(visitor, 'board-viewer');
  await visitor.getByRole('button', { name: 'Signed in as Vera Lind' }).click();
  await inspect(visitor, 'menu');
  await visitor.getByRole('button', { name: 'Sign out' }).click();
  await expect(visitor.getByRole('dialog', { name: 'Sign out?' })).toBeVisible();
  await inspect(visitor, 'sign-out');

  await owner.getByRole('button', { name: 'History' }).click();
  const history = owner.getByRole('dialog', { name: 'History of this board' });
  await history.getByLabel('Name the current state').fill('Before the meeting');
  await history.getByRole('button', { name: 'Keep' }).click();
  await history.getByRole('button', { name: /Before the meeting/ }).click();
  await history.getByRole('button', { name: 'Close' }).click();
  await board.label('a second thought');
  await board.isSaved();
  await owner.getByRole('button', { name: 'History' }).click();
  await history.getByRole('button', { name: /Before the meeting/ }).click();
  await expect(history.locator('[data-difference]')).toHaveCount(1);
  await inspect(owner, 'board-history');
  await history.getByRole('button', { name: 'Close' }).click();

  await keepAside(owner, path);
  await expect(owner.getByTestId('kept-aside')).toBeVisible();
  await inspect(owner, 'board-aside');
  await owner.getByRole('button', { name: 'Apply again' }).click();
  await expect(owner.getByTestId('kept-aside')).toHaveCount(0);
  await expect(board.inspector.locator('[data-label="came too late"]')).toBeVisible();

  await owner.getByRole('button', { name: 'Share', exact: true }).click();
  await share.place.getByRole('link', { name: 'Members and invitations of the whole workspace' }).click();
  await expect(share.people).toHaveCount(0);
  const sections = owner.getByRole('navigation', { name: 'Parts of the workspace' });
  for (const section of ['Boards', 'Members', 'Invitations', 'Log', 'Settings']) {
    await sections.getByRole('link', { name: section }).click();
    await expect(sections.getByRole('link', { name: section })).toHaveAttribute('aria-current', 'page');
    await owner.waitForLoadState('networkidle');
    await inspect(owner, `workspace-${section.toLowerCase()}`);
  }
});

/** As after the server refused an edit of this person. */
async function keepAside(page: Page, anchor: string): Promise<void> {
  await page.evaluate(async (where) => {
    const { person } = (await (await fetch('/api/me')).json()) as { person: { id: string } };
    const value = { id: 'label-too-late', anchor: where, text: 'came too late', createdAt: Date.now() };
    const kept = [{ id: 'kept', at: Date.now(), why: 'epoch', changes: [{ map: 'labels', key: value.id, value }] }];
    localStorage.setItem(`pathboard.aside.${person.id}.${location.pathname.split('/').at(-1)}`, JSON.stringify(kept));
  }, anchor);
  await page.reload();
}
