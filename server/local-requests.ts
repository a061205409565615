import { z } from 'zod';
import type { App } from './app.ts';
import { SECRET_HEADER, holdsSecret } from './guard.ts';
import { Refusal } from './refusal.ts';

/** What the `pathboard` command on this machine asks of the server, and nobody else may. */
export const backupRequest = z.strictObject({ withModels: z.boolean() });
/** Without an address, the one that the owner has. */
export const passwordRequest = z.strictObject({ email: z.string().max(200).nullable(), password: z.string().max(1000) });

export function requireSecret({ config }: App, request: Request): void {
  if (holdsSecret(request.headers.get(SECRET_HEADER), config.localSecret)) return;
  throw new Refusal('forbidden', SECRET_HEADER, 'the secret in server.json of PATHBOARD_HOME', 'another or none');
}
