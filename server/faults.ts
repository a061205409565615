import { inspect } from 'node:util';

/** Tells whoever runs the server what went wrong and is nobody's business outside. */
export function reportFault(where: string, error: unknown): void {
  process.stderr.write(`${where}: ${inspect(error)}\n`);
}
