import { verdictOfClaim } from './board/opinion.ts';
import { figuresOf, type Snapshot } from './snapshot.ts';
import { HEAD_SCORES, numberKey, numbersOf, writtenAs, type Shown } from './verify-numbers.ts';
import type { NumberMark, PartReport } from './verify.ts';

/** What stands in a page's HTML beside what its data holds: every number and verdict, as it is read there. */

const LISTED = 2000;

interface Wrong {
  key: string;
  shows: string;
  holds: string;
}

/** Versions without {@link Snapshot.numbers} do not say how a number is written, nor have they all keys: what they have is compared. */
export function compareShown(shown: readonly Shown[], snapshot: Snapshot): PartReport {
  const held = heldBy(snapshot);
  const isWhole = snapshot.numbers === 2;
  const missing = isWhole ? missingFrom(shown, snapshot).map((key) => ({ key, shows: 'nothing', holds: held.get(key) ?? 'nothing' })) : [];
  const wrong = [...shown.flatMap((one) => wrongIn(one, held.get(one.key), isWhole) ?? []), ...missing];
  const [first] = wrong;
  const others = wrong.length > 1 ? `; ${wrong.length - 1} more` : '';
  return {
    id: 'page',
    title: 'What the page shows is what its data holds',
    kind: null,
    mark: first ? 'not-reproduced' : 'reproduced',
    why: first ? `${first.key.replaceAll('|', ' ')}: the page shows ${first.shows}, its data holds ${first.holds}${others}` : null,
    difference: null,
    tolerance: null,
    compared: shown.length,
    numbers: [...new Map(wrong.map((one) => [one.key, markOf(one)])).values()].slice(0, LISTED),
  };
}

function heldBy(snapshot: Snapshot): Map<string, string> {
  const held = new Map<string, string>();
  for (const { id, answer } of figuresOf(snapshot)) {
    for (const { name, field, value } of numbersOf(answer)) held.set(numberKey(id, name, field), String(value));
  }
  for (const { group, value } of snapshot.mechanisms ?? []) held.set(numberKey(`group:${group.id}`, '', 'value'), String(value));
  for (const { claim, evidence } of snapshot.claims) {
    held.set(numberKey(`claim:${claim.id}`, '', 'verdict'), verdictOfClaim(evidence));
    for (const { id, verdict } of evidence) {
      held.set(numberKey(`evidence:${id}`, '', 'verdict'), verdict.value);
      held.set(numberKey(`evidence:${id}`, '', 'left'), String(verdict.left));
    }
  }
  return held;
}

function wrongIn({ key, value, format, text }: Shown, held: string | undefined, isWhole: boolean): Wrong | null {
  if (held !== value) return { key, shows: value, holds: held ?? 'nothing' };
  const written = writtenAs(value, format);
  return isWhole && (text === null || text !== written) ? { key, shows: text ?? 'no number', holds: written ?? value } : null;
}

/** A number that stands in two places is to be there twice. */
function missingFrom(shown: readonly Shown[], snapshot: Snapshot): string[] {
  const counts = new Map<string, number>();
  for (const { key } of shown) counts.set(key, (counts.get(key) ?? 0) + 1);
  return keysOf(snapshot).filter((key) => {
    const count = counts.get(key) ?? 0;
    counts.set(key, count - 1);
    return count <= 0;
  });
}

/** What a page made now always shows of this snapshot. */
export function keysOf({ partition, degrees, flow, heads, mechanisms = [], claims }: Snapshot): string[] {
  const values = (part: string, terms: readonly { name: string }[]) => terms.map(({ name }) => numberKey(part, name, 'value'));
  const scores = (heads?.terms ?? []).flatMap((term) =>
    HEAD_SCORES.filter((field) => typeof term[field] === 'number').map((field) => numberKey('heads', term.name, field)),
  );
  return [
    ...['metric', 'metric', 'sum'].map((field) => numberKey('paths', '', field)),
    ...(partition.counterfactualMetric === undefined ? [] : [numberKey('paths', '', 'counterfactualMetric')]),
    ...((partition.remainder ?? 0) === 0 ? [] : [numberKey('paths', '', 'remainder')]),
    ...values('paths', partition.terms),
    ...values('degrees', degrees.terms),
    ...values('flow', flow?.terms ?? []),
    ...scores,
    ...mechanisms.flatMap(({ group, value }) => (value === null ? [] : [numberKey(`group:${group.id}`, '', 'value')])),
    ...claims.flatMap(keysOfClaim),
  ];
}

function keysOfClaim({ claim, evidence }: Snapshot['claims'][number]): string[] {
  const ofEvidence = evidence.flatMap(({ id, verdict }) =>
    (verdict.left === null ? ['verdict'] : ['verdict', 'left']).map((field) => numberKey(`evidence:${id}`, '', field)),
  );
  return [numberKey(`claim:${claim.id}`, '', 'verdict'), ...ofEvidence];
}

function markOf({ key, shows, holds }: Wrong): NumberMark {
  return { key, claimed: numeric(shows), fresh: numeric(holds), mark: 'not-reproduced' };
}

function numeric(text: string): number | null {
  const number = text === '' ? Number.NaN : Number(text);
  return Number.isFinite(number) ? number : null;
}
