import type { ApiError } from '../lib/wire.ts';

type Code = ApiError['error']['code'];

/**
 * A request that is turned down for a reason that the person is told in one line. Recognise it with
 * {@link isRefusal}: route bundles and the server hold different copies of this class.
 */
export class Refusal extends Error {
  readonly isRefusal = true;
  constructor(
    readonly code: Code,
    readonly where: string,
    readonly expected: string,
    readonly got: string,
  ) {
    super(`${where}: expected ${expected}, got ${got}`.replaceAll(/\s*\n\s*/g, ' '));
    this.name = 'Refusal';
  }
}

export function isRefusal(error: unknown): error is Refusal {
  return typeof error === 'object' && error !== null && 'isRefusal' in error;
}
