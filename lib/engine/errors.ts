export type ErrorCode =
  | 'bad-request'
  | 'bad-name'
  | 'bad-path'
  | 'bad-tokens'
  | 'bad-weights'
  | 'bad-config'
  | 'unsupported'
  | 'unknown-model'
  | 'unknown-view'
  | 'cancelled'
  | 'runtime';

/**
 * A failure a person can act on: where it happened, what was expected there and what came instead.
 * `message` is one line made from the three. Recognise it with {@link isEngineError}, not `instanceof`:
 * the same class can exist twice in one process when bundles differ.
 */
export class EngineError extends Error {
  readonly isEngineError = true;
  constructor(
    readonly code: ErrorCode,
    readonly where: string,
    readonly expected: string,
    readonly got: string,
    options?: ErrorOptions,
  ) {
    super(`${where}: expected ${expected}, got ${got}`.replaceAll(/\s*\n\s*/g, ' '), options);
    this.name = 'EngineError';
  }
}

export function isEngineError(error: unknown): error is EngineError {
  return typeof error === 'object' && error !== null && 'isEngineError' in error;
}
