'use client';
import type { Answer } from '@/lib/engine/index.ts';
import { formatCount, formatError, formatValue } from '@/lib/figures/numbers.ts';
import { strings } from '@/app/ui/strings.ts';

/** How an answer adds up, in one line. */
export function AnalysisFacts({ answer }: { answer: Answer }) {
  return (
    <p className="flex flex-wrap items-center gap-x-3 gap-y-0.5 text-sm" data-testid="analysis-facts">
      {factsOf(answer).map((fact) => (
        <span key={fact} className="font-mono text-xs">
          {fact}
        </span>
      ))}
      <span className="text-xs text-soft">{strings.analyses.facts.time(formatCount(Math.round(answer.elapsedMs)))}</span>
    </p>
  );
}

const SLOTS = ['q', 'k', 'v'] as const;

function factsOf({ metric, examples, whole, sum, remainder, error, joint, reference, baseline }: Answer): string[] {
  const { facts } = strings.analyses;
  const line: string[] = [];
  if (metric !== null) {
    line.push(examples ? facts.meanMetric(formatValue(metric), formatCount(examples.length)) : facts.metric(formatValue(metric)));
  }
  if (whole) line.push(facts.whole(whole.name, formatValue(whole.value)));
  if (sum !== undefined && remainder !== undefined && remainder !== 0) {
    line.push(facts.listed(formatValue(sum - remainder)), facts.remainder(formatValue(remainder)));
  }
  if (sum !== undefined) line.push(facts.sum(formatValue(sum)));
  if (error !== undefined) line.push(facts.error(formatError(error)));
  if (joint) line.push(facts.together(formatValue(joint.value)));
  if (reference) line.push(facts.reference(reference));
  if (baseline) {
    line.push(...SLOTS.map((slot) => facts.baseline(slot, formatValue(baseline[slot].mean), formatValue(baseline[slot].deviation))));
  }
  return line;
}
