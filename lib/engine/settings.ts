import type { TokenRequest } from './token-request.ts';
import type { Answer, Reference, View } from './request.ts';
import { usesReference } from './references.ts';
import type { ReferenceSource } from './views/view.ts';

type Settings = NonNullable<Answer['settings']>;

/** What an intervention replaces. */
const COMPONENT: Partial<Record<View, string>> = {
  ablate: 'output of a node, for every reader',
  repair: 'output of a node, for every reader',
  'path-effect': 'output of the first node, on the path alone',
  'edge-patch': "one writer's part of one reader's input",
  attribution: "one writer's part of one reader's input, slots apart",
  'feature-ablate': "a feature's activation, the error kept",
  scrub: 'everything outside the hypothesis',
};
const SEEDED: ReadonlySet<View> = new Set(['scrub', 'composition']);

/** Everything that a run's numbers depend on beyond the fields that every answer has. */
export function runSettings(request: TokenRequest, reference: Reference, position: number | null, first: ReferenceSource): Settings {
  const { view, prompts, seed = 0 } = request;
  const draws = usesReference(view) && reference === 'resample';
  return {
    tokens: position === null ? 'all positions, read at the last of each prompt' : `all positions, read at ${position}`,
    ...(usesReference(view) && { direction: 'clean -> reference', ablation: reference, component: COMPONENT[view]! }),
    ...(usesReference(view) && (reference === 'mean' || draws) && setSettings(request)),
    ...(draws && !prompts && first.kind === 'resample' && { donor: `example ${first.donor + 1}` }),
    ...(view === 'concentration' && { granularity: request.granularity ?? 'head' }),
    ...(request.positions && { positions: true }),
    ...(view === 'attribution' && { steps: request.steps ?? null }),
    ...(prompts && { prompts: prompts.length, promptSet: request.setName ?? null, order: 'per prompt, then mean over prompts' }),
    ...((draws || SEEDED.has(view)) && { seed }),
  };
}

function setSettings({ prompts, setName, referencePrompts, referenceSetName }: TokenRequest): Settings {
  const set = referencePrompts ?? prompts ?? [];
  return { referencePrompts: set.length, referenceSet: (referencePrompts ? referenceSetName : setName) ?? null };
}

export function weightSettings({ seed = 0, foldNorm = false, view }: TokenRequest): Settings {
  return { foldNorm, ...(SEEDED.has(view) && { seed }) };
}
