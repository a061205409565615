import type { View } from '../request.ts';
import { ablateView } from './ablate.ts';
import { attributionView } from './attribution.ts';
import { circuitsView } from './circuits.ts';
import { compositionView } from './composition.ts';
import { concentrationView } from './concentration.ts';
import { degreesView } from './degrees.ts';
import { directView } from './direct.ts';
import { featureAblateView } from './feature-ablate.ts';
import { featureEdgesView } from './feature-edges.ts';
import { featureTokensView } from './feature-unembedding.ts';
import { featuresView } from './features.ts';
import { flowView } from './flow.ts';
import { edgePatchView } from './edge-patch.ts';
import { headsView } from './heads.ts';
import { interactionsView } from './interactions.ts';
import { logitsView } from './logits.ts';
import { naiveExpansionView } from './naive-expansion.ts';
import { ordersView } from './orders.ts';
import { pathEffectView } from './path-effect.ts';
import { pathsView } from './paths.ts';
import { repairView } from './repair.ts';
import { scrubView } from './scrub.ts';
import { suffixesView } from './suffixes.ts';
import { unitsView } from './units.ts';
import { virtualHeadView } from './virtual-head.ts';
import type { RunView, SetView, WeightsView } from './view.ts';

/** A view of one prompt (of a set, each) or of a whole prompt set at once. */
export type PromptView = { of: 'run'; answer: RunView } | { of: 'set'; answer: SetView };
type ViewFunction = PromptView | { of: 'weights'; answer: WeightsView };

const ofRun = (answer: RunView): ViewFunction => ({ of: 'run', answer });
const ofSet = (answer: SetView): ViewFunction => ({ of: 'set', answer });
const ofWeights = (answer: WeightsView): ViewFunction => ({ of: 'weights', answer });

export const VIEW_FUNCTIONS: Record<View, ViewFunction> = {
  logits: ofRun(logitsView),
  direct: ofRun(directView),
  degrees: ofRun(degreesView),
  paths: ofRun(pathsView),
  suffixes: ofRun(suffixesView),
  flow: ofRun(flowView),
  units: ofRun(unitsView),
  concentration: ofRun(concentrationView),
  interactions: ofRun(interactionsView),
  heads: ofRun(headsView),
  'virtual-head': ofRun(virtualHeadView),
  'naive-expansion': ofRun(naiveExpansionView),
  orders: ofRun(ordersView),
  attribution: ofRun(attributionView),
  'edge-patch': ofRun(edgePatchView),
  'path-effect': ofRun(pathEffectView),
  ablate: ofRun(ablateView),
  repair: ofRun(repairView),
  scrub: ofSet(scrubView),
  composition: ofWeights(compositionView),
  circuits: ofWeights(circuitsView),
  features: ofRun(featuresView),
  'feature-edges': ofRun(featureEdgesView),
  'feature-ablate': ofRun(featureAblateView),
  'feature-tokens': ofWeights(featureTokensView),
};
