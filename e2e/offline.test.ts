import type { Page, WebSocketRoute } from '@playwright/test';
import { BoardPage } from './board-page.ts';
import { expect, join, test, unravel } from './actors.ts';

/** A switch for everything that goes between a page and the server. */
async function cable(page: Page) {
  let plugged = true;
  const open = new Set<WebSocketRoute>();
  await page.routeWebSocket(/\/collab\//, (socket) => {
    if (!plugged) {
      void socket.close({ code: 1001 });
      return;
    }
    open.add(socket);
    socket.connectToServer();
  });
  return {
    async pull() {
      plugged = false;
      await page.context().setOffline(true);
      for (const socket of open) await socket.close({ code: 1001 });
      open.clear();
    },
    async plug() {
      plugged = true;
      await page.context().setOffline(false);
    },
  };
}

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
  await expect(guest.connection).toHaveText('You are no longer signed in. Open your owner or invitation link again.', { timeout: 30_000 });
  await expect(visitor.locator('[data-pending]')).toContainText('written by Vera');

  await join(visitor, board, 'Wilma');
  await guest.select(path);
  await expect(visitor.locator('[data-pending]')).toContainText('under another name');
  await visitor.getByRole('button', { name: 'Send as Wilma' }).click();
  await expect(board.said('written by Vera')).toContainText('Wilma');
  await expect(visitor.locator('[data-pending]')).toHaveCount(0);
});
