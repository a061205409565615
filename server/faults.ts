import { log } from './log.ts';
import { metrics } from './metrics.ts';

/** Tells whoever runs the server what went wrong and is nobody's business outside. */
export function reportFault(where: string, error: unknown): void {
  metrics.faults.inc();
  log().error(where, error);
}
