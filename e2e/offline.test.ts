import type { Page } from '@playwright/test';
import { BoardPage } from './board-page.ts';
import { expect, join, test, unravel } from './actors.ts';
import { cable } from './cable.ts';

test('what is written offline arrives once', async ({ owner, visitor }) => {
  const board = await unravel(owner);
  const line = await cable(visitor);
  const guest = await join(visitor, board, 'Vera');
  const [path = ''] = await board.paths('complete');
  await board.select(path);
  await guest.select(path);

  await line.pull();
  await expect(guest.connection).toHaveAttribute('data-connection', 'offline');
  await guest.label('written offline');
  await guest.comment('also written offline');
  await expect(guest.connection).toHaveText(/offline: 2 changes not saved yet/);
  await expect(visitor.locator('[data-pending]')).toContainText('waiting to be sent');
  await expect(board.row(path)).not.toContainText('written offline');

  await line.plug();
  await expect(guest.connection).toHaveText('saved', { timeout: 30_000 });
  await expect(board.inspector.locator('[data-label="written offline"]')).toHaveCount(1);
  await expect(board.said('also written offline')).toHaveCount(1);
  await expect(visitor.locator('[data-pending]')).toHaveCount(0);
  await visitor.reload();
  await guest.isReady();
  await expect(guest.said('also written offline')).toHaveCount(1);
});

test('a board survives the server being killed', async ({ owner, server }) => {
  const board = await unravel(owner);
  const [path = ''] = await board.paths('complete');
  await board.select(path);
  await board.label('before the crash');
  await board.comment('said before the crash');
  await expect(board.said('said before the crash')).toBeVisible();
  await board.isSaved();

  await server.kill();
  await expect(board.connection).toHaveAttribute('data-connection', 'offline');
  await board.label('during the crash');
  await server.restart();
  await expect(board.connection).toHaveText('saved', { timeout: 30_000 });

  await owner.reload();
  const again = new BoardPage(owner);
  await again.isReady();
  for (const text of ['before the crash', 'during the crash']) {
    await expect(again.inspector.locator(`[data-label="${text}"]`)).toHaveCount(1);
  }
  await expect(again.said('said before the crash')).toHaveCount(1);
});

test('a comment of somebody else is held until its new sender agrees', async ({ owner, visitor }) => {
  const board = await unravel(owner);
  const [path = ''] = await board.paths('complete');
  await board.select(path);
  const line = await cable(visitor);
  const guest = await join(visitor, board, 'Vera');
  await guest.select(path);
  await line.pull();
  await guest.comment('written by Vera');

  await visitor.context().clearCookies();
  await line.plug();
  await expect(guest.notice).toContainText('You are no longer signed in.', { timeout: 30_000 });
  await expect(guest.notice.getByRole('link', { name: 'Sign in' })).toBeVisible();
  await expect(visitor.locator('[data-pending]')).toContainText('written by Vera');

  await join(visitor, board, 'Wilma');
  await guest.select(path);
  await expect(visitor.locator('[data-pending]')).toContainText('under another name');
  await visitor.getByRole('button', { name: 'Send as Wilma' }).click();
  await expect(board.said('written by Vera')).toContainText('Wilma');
  await expect(visitor.locator('[data-pending]')).toHaveCount(0);
});

test('a comment that the server refuses stays with its text and the line, and can be tried again', async ({ owner }) => {
  const board = await unravel(owner);
  const [path = ''] = await board.paths('complete');
  await board.select(path);
  const line = 'This board takes no comments until noon.';
  let asked = 0;
  await owner.route('**/api/boards/*/comments', async (route) => {
    asked++;
    await route.fulfill({ status: 403, json: { error: { code: 'forbidden', message: line } } });
  });

  await board.comment('long thought about');
  const kept = board.inspector.locator('[data-pending]');
  await expect(kept).toContainText('not sent');
  await expect(kept).toContainText('long thought about');
  await expect(kept.getByRole('alert')).toHaveText(line);
  await owner.reload();
  await board.isReady();
  await expect(kept).toContainText('long thought about');
  await expect(kept.getByRole('alert')).toHaveText(line);
  expect(asked).toBe(1);

  await kept.getByRole('button', { name: 'Try again' }).click();
  await expect.poll(() => asked).toBe(2);
  await expect(kept.getByRole('alert')).toHaveText(line);
  await owner.unroute('**/api/boards/*/comments');
  await kept.getByRole('button', { name: 'Try again' }).click();
  await expect(board.said('long thought about')).toHaveCount(1);
  await expect(kept).toHaveCount(0);
  await owner.reload();
  await board.isReady();
  await expect(board.said('long thought about')).toHaveCount(1);
  await expect(kept).toHaveCount(0);
});

test('an edit made offline survives closing the tab', async ({ owner, visitor }) => {
  const board = await unravel(owner);
  const line = await cable(visitor);
  const guest = await join(visitor, board, 'Vera');
  const [path = ''] = await board.paths('complete');
  await guest.select(path);
  await guest.label('stored at once');
  await guest.isSaved();
  const address = visitor.url();

  await line.pull();
  await expect(guest.connection).toHaveAttribute('data-connection', 'offline');
  await guest.label('written offline');
  await expect(guest.connection).toHaveText('offline: 1 change not saved yet');
  await visitor.close();
  await visitor.context().setOffline(false);

  const tab = await visitor.context().newPage();
  const cut = await cable(tab);
  await cut.cut();
  await tab.goto(address);
  const reopened = new BoardPage(tab);
  await expect(reopened.inspector.locator('[data-label="written offline"]')).toBeVisible();
  await expect(reopened.connection).toHaveAttribute('data-unsaved', '1');
  await expect(board.row(path)).not.toContainText('written offline');

  await cut.plug();
  await expect(reopened.connection).toHaveText('saved', { timeout: 30_000 });
  await expect(board.row(path)).toContainText('written offline');

  await test.step('signing out leaves nothing of it in the browser', async () => {
    expect(await keptOf(tab)).not.toEqual([]);
    await tab.getByRole('button', { name: 'Signed in as Vera' }).click();
    await tab.getByRole('button', { name: 'Sign out' }).click();
    await tab.getByRole('dialog', { name: 'Sign out?' }).getByRole('button', { name: 'Sign out' }).click();
    await expect(tab.getByRole('heading', { name: 'Sign in' })).toBeVisible();
    await expect.poll(() => keptOf(tab)).toEqual([]);
  });
});

test('the badge says what keeps edits from being stored', async ({ owner }) => {
  const line = await cable(owner);
  const board = await unravel(owner);
  const [path = ''] = await board.paths('complete');
  await board.select(path);
  await line.cut(1013);
  await expect(board.connection).toHaveText('the server cannot store anything now: trying again');
  await board.label('kept meanwhile');
  await expect(board.connection).toHaveText('the server cannot store anything now: 1 change kept');
  await line.cut(1012);
  await expect(board.connection).toHaveText('the server restarts: 1 change kept');
  await line.plug();
  await expect(board.connection).toHaveText('saved', { timeout: 30_000 });
});

test('without a database in the browser, closing the tab asks before edits are lost', async ({ owner }) => {
  await owner.addInitScript(() => {
    IDBFactory.prototype.open = () => {
      throw new DOMException('no storage here', 'SecurityError');
    };
  });
  await owner.reload();
  const line = await cable(owner);
  const board = await unravel(owner);
  const [path = ''] = await board.paths('complete');
  await board.select(path);
  await line.cut();
  await board.label('in this tab alone');
  const [dialog] = await Promise.all([owner.waitForEvent('dialog'), owner.close({ runBeforeUnload: true })]);
  expect(dialog.type()).toBe('beforeunload');
  await dialog.dismiss();
  await line.plug();
  await expect(board.connection).toHaveText('saved', { timeout: 30_000 });
});

/** What this browser keeps of boards. */
function keptOf(page: Page): Promise<string[]> {
  return page.evaluate(async () => {
    const databases = await indexedDB.databases();
    const names = databases.map(({ name = '' }) => name).filter((name) => name !== 'pathboard/probe');
    return [...names, ...Object.keys(localStorage).filter((key) => /^pathboard\.(copy|unsaved|aside)\./.test(key))];
  });
}
