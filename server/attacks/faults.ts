import { inspect } from 'node:util';
import { setLog } from '../log.ts';

/** What the server writes into its log as an error, in place of its log: a test says which there may be. */
export function collectFaults(): string[] {
  const faults: string[] = [];
  setLog({
    debug: () => {},
    info: () => {},
    warn: () => {},
    error: (message, error) => faults.push(`${message}: ${inspect(error, { depth: 3 }).slice(0, 1500)}`),
  });
  return faults;
}

/** Errors that nobody caught while it listens. */
export class Unhandled {
  readonly errors: unknown[] = [];
  private readonly listener = (error: unknown) => void this.errors.push(error);

  constructor() {
    process.on('unhandledRejection', this.listener);
    process.on('uncaughtException', this.listener);
  }

  close(): void {
    process.off('unhandledRejection', this.listener);
    process.off('uncaughtException', this.listener);
  }
}
