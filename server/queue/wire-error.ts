import { EngineError, isEngineError } from '../../lib/engine/index.ts';
import type { WireError } from '../engine/messages.ts';

/** Errors as they cross threads and machines: EngineErrors keep their parts. */

export function wireError(error: unknown): WireError {
  if (isEngineError(error)) {
    const { code, where, expected, got } = error;
    return { kind: 'engine', code, where, expected, got };
  }
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  return { kind: 'other', message, stack };
}

export function revive(error: WireError): Error {
  if (error.kind === 'engine') return new EngineError(error.code, error.where, error.expected, error.got);
  const revived = new Error(error.message);
  if (error.stack) revived.stack = error.stack;
  return revived;
}
