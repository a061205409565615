import { EngineError, type AnalyzeRequest, type View } from '../../lib/engine/index.ts';
import type { AnalyzeOptions } from '../context.ts';

/** Somebody at a board waits for what is interactive. Nobody sits and watches a batch: it comes after. */
export type Urgency = 'interactive' | 'batch';

export interface Job {
  request: AnalyzeRequest;
  /** whose turn it takes */
  person: string;
  urgency: Urgency;
  /** never takes the last place of a worker */
  long: boolean;
}

/** Jobs of one worker that run at a time: they take turns between batches. One place is never given to a long job. */
export const PLACES = 3;
/** Where nobody is signed in: readers of published pages, commands. */
const NOBODY = 'nobody';
/** A request that tests more than this many paths, edges or nodes is a long job. */
const SHORT_TESTS = 10;
/** Views that are long on a large model whatever is asked of them. */
const LONG_VIEWS: ReadonlySet<View> = new Set([
  'paths',
  'concentration',
  'interactions',
  'naive-expansion',
  'attribution',
  'repair',
  'scrub',
  'composition',
  'circuits',
  'feature-edges',
]);

export function jobOf(request: AnalyzeRequest, { person, urgency }: AnalyzeOptions): Job {
  const isSet = request.prompts !== undefined || request.referencePrompts !== undefined;
  const chosen = urgency ?? (isSet ? 'batch' : 'interactive');
  return { request, person: person ?? NOBODY, urgency: chosen, long: chosen === 'batch' || isLong(request) };
}

function isLong({ view, untilMass, allEdges, paths = [], edges = [], ablate = [] }: AnalyzeRequest): boolean {
  const isTest = paths.length + edges.length + ablate.length > SHORT_TESTS || allEdges === true;
  return LONG_VIEWS.has(view) || isTest || untilMass !== undefined;
}

export function cancelledError(): EngineError {
  return new EngineError('cancelled', 'analysis', 'to run to its end', 'a request to stop');
}
