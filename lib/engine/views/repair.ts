import { changesOf } from '../changes.ts';
import { frozenEffectsGraph } from '../graphs/repair.ts';
import type { Control } from '../model.ts';
import type { Term } from '../request.ts';
import type { FloatTensor } from '../runtime.ts';
import { stageCount } from '../spec.ts';
import { Takeovers, degreeWithin } from '../takeover.ts';
import { ablatedMetrics, ablationSets, batchesOf, constantNotes, referenceOrZero, replaceRows } from './ablations.ts';
import { TOGETHER, type Asked, type Outcome } from './view.ts';

/** Suffixes opened to tell who took over: for one ablation, and for all of an answer. */
const TAKEOVER_SUFFIXES = 1024;
const ANSWER_SUFFIXES = 16_384;

const FROZEN =
  'The frozen drop follows value paths alone, patterns, scales and gates held [M14]; the compensation is what the live model does differently.';
const NOT_OF_SETS = 'Which paths took over is told for single prompts alone.';

/**
 * Self-repair [M24]: `real` is how much the metric drops after the ablation (both from the same graph, so that what they
 * have in common rounds alike), `frozen` how much it would if everything downstream were propagated by the frozen maps,
 * `compensation` 1 − real/frozen (null where that is 0), and for a single prompt `takeover`, the paths whose value
 * differs most between the expansions of both runs.
 */
export async function repairView(asked: Asked): Promise<Outcome> {
  const sets = ablationSets(asked);
  const reference = await referenceOrZero(asked);
  const metrics = await ablatedMetrics(asked, [...sets, []], reference);
  const untouched = metrics.pop()!;
  const effects = await frozenEffects(asked, sets, reference);
  const terms = sets.map((_, index): Term => {
    const real = untouched - metrics[index]!;
    const frozen = -effects[index]!;
    return {
      name: index < asked.ablate.length ? asked.ablate[index]! : TOGETHER,
      real,
      frozen,
      compensation: frozen === 0 ? null : 1 - real / frozen,
    };
  });
  const notes = [...constantNotes(asked.ablate), FROZEN];
  if (!asked.single) return { terms, reference: asked.reference, notes: [...notes, NOT_OF_SETS] };
  const { model } = asked;
  const degree = degreeWithin(model, Math.min(TAKEOVER_SUFFIXES, Math.floor(ANSWER_SUFFIXES / sets.length)));
  return {
    terms: await withTakeovers(asked, terms, sets, reference, degree),
    reference: asked.reference,
    settings: { takeoverDegree: degree },
    notes: [...notes, takeoverNote(degree, stageCount(model.spec))],
  };
}

async function withTakeovers(
  { model, question, control }: Asked,
  terms: readonly Term[],
  sets: readonly (readonly string[])[],
  reference: FloatTensor,
  degree: number,
): Promise<Term[]> {
  const expansion = (index: number) => partOf(control, index, 1 + terms.length);
  const takeovers = await Takeovers.prepare(model, question, degree, expansion(0));
  const told: Term[] = [];
  for (const [index, term] of terms.entries()) {
    told.push({ ...term, takeover: await takeovers.of(sets[index]!, reference, expansion(index + 1)) });
  }
  return told;
}

/** The control of one of several equally long parts, which counts on where the part before it ended. */
function partOf(control: Control, part: number, parts: number): Control {
  return {
    progress: (done, total, what) => control.progress(part * total + done, parts * total, what),
    checkpoint: () => control.checkpoint(),
  };
}

function takeoverNote(degree: number, stages: number): string {
  const compared =
    degree === stages
      ? 'All paths'
      : degree === 0
        ? 'Direct terms alone'
        : `Paths through at most ${degree} heads and MLPs after their source`;
  return `${compared} were compared to tell which took over; those through an ablated node have no counterpart.`;
}

/** New − old frozen metric of each set [M24]. */
async function frozenEffects(asked: Asked, sets: readonly (readonly string[])[], reference: FloatTensor): Promise<number[]> {
  const { model, question, control } = asked;
  const run = await model.clean(question.tokens);
  const { patterns, inverse1, inverse2, gates } = run;
  const { direction } = await model.direction(run, question);
  const { change } = await changesOf(model, run, reference);
  const effects: number[] = [];
  for (const batch of batchesOf(asked, sets)) {
    await control.checkpoint();
    const replace = replaceRows(asked, batch);
    const feeds = { replace, change, direction, patterns, inverse1, inverse2, gates };
    const { effect } = await model.run('frozen-effects', frozenEffectsGraph, feeds);
    effects.push(...effect!.data);
    control.progress(effects.length, sets.length, 'frozen ablations run');
  }
  return effects;
}
