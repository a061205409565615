import type { Answer } from '@/lib/engine/index.ts';
import type { Setup } from '@/lib/wire.ts';
import { analyze } from './analysis.ts';
import { causalRequestOf } from './setup-request.ts';

/** Asks the engine for the cheapest view, so that a setup nobody can compute never reaches the others. */
export function checkSetup(setup: Setup): Promise<Answer> {
  return analyze(causalRequestOf(setup, 'logits', { top: 1 }));
}
