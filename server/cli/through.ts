import type { Person } from '../access.ts';
import type { App } from '../app.ts';
import { findServer, isGone, type RunningServer } from '../local.ts';

/**
 * Does something as the owner of this installation: through the server that runs on `home`, or, where none does, in
 * this process, which then holds the folder's lock. The same use-cases answer, so the same roles count.
 */
export async function through<T>(
  home: string,
  ask: (server: RunningServer) => Promise<T>,
  alone: (app: App, owner: Person) => Promise<T>,
): Promise<T> {
  const server = findServer(home);
  if (server) {
    try {
      return await ask(server);
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }
  // Most of the server, which a command that asks another process has no need of.
  const { withApp } = await import('./alone.ts');
  return withApp(home, alone);
}
