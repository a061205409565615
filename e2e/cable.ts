import type { Page, WebSocketRoute } from '@playwright/test';

/** A switch for everything that goes between a page and the server. */
export async function cable(page: Page) {
  let closing: number | null = null;
  const open = new Set<WebSocketRoute>();
  await page.routeWebSocket(/\/collab\//, (socket) => {
    if (closing !== null) {
      void socket.close({ code: closing });
      return;
    }
    open.add(socket);
    socket.connectToServer();
  });
  const cut = async (code = 1001) => {
    closing = code;
    for (const socket of open) await socket.close({ code });
    open.clear();
  };
  return {
    /** the sockets alone: pages and the API still answer */
    cut,
    async pull() {
      await page.context().setOffline(true);
      await cut();
    },
    async plug() {
      closing = null;
      await page.context().setOffline(false);
    },
  };
}
