import type { AnalyzeRequest, View } from '@/lib/engine/index.ts';
import type { Setup } from '@/lib/wire.ts';

/** The board's setup as a request to the engine. */
export function requestOf(setup: Setup, view: View, more: Partial<AnalyzeRequest> = {}): AnalyzeRequest {
  return {
    view,
    model: setup.model,
    prompt: setup.prompt,
    ...(setup.position === null ? {} : { position: setup.position }),
    ...(setup.target === null ? {} : { target: setup.target }),
    ...(setup.foil === null ? {} : { foil: setup.foil }),
    ...more,
  };
}

/** For causal views: with the counterfactual prompt where the board has one. */
export function causalRequestOf(setup: Setup, view: View, more: Partial<AnalyzeRequest> = {}): AnalyzeRequest {
  const counterfactual = setup.counterfactual === null ? {} : { counterfactual: setup.counterfactual };
  return requestOf(setup, view, { ...counterfactual, ...more });
}
