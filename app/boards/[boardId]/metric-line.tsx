'use client';
import { formatCount, formatError, formatValue } from '@/lib/figures/numbers.ts';
import { KindBadge } from '@/app/ui/kind-badge.tsx';
import { strings } from '@/app/ui/strings.ts';
import { TokenChip } from '@/app/ui/token-chip.tsx';
import type { Unravel } from './use-unravel.ts';

/** The metric and its exact partition so far, in one line. */
export function MetricLine({ unravel: { answer, partition, stale } }: { unravel: Unravel }) {
  if (!answer || !partition) return <p className="px-3 pb-2 text-sm text-soft">{strings.metric.computing}</p>;
  const { complete, unopened, error } = partition;
  return (
    <p
      aria-busy={stale}
      className={`flex flex-wrap items-center gap-x-2 gap-y-0.5 px-3 pb-2 text-sm ${stale ? 'opacity-50' : ''}`}
      data-testid="metric-line"
    >
      <span className="text-xs text-soft">
        {strings.metric.logit} <TokenChip text={answer.targetText ?? String(answer.target)} />
        {answer.foil === null ? null : (
          <>
            {' − '}
            {strings.metric.logit} <TokenChip text={answer.foilText ?? String(answer.foil)} />
          </>
        )}
      </span>
      <span>
        {strings.metric.metric}{' '}
        <b data-testid="metric" className="font-mono font-semibold">
          {formatValue(answer.metric)}
        </b>
        {' = '}
        <span className="font-mono">{formatValue(complete.value)}</span> {strings.metric.inPaths(formatCount(complete.count))}
        {' + '}
        <span className="font-mono">{formatValue(unopened.value)}</span> {strings.metric.unopened}
      </span>
      <span className="text-xs text-soft">
        {strings.metric.error} {formatError(error)}
      </span>
      <KindBadge kind="identity" />
      {answer.counterfactualMetric === undefined ? null : (
        <span className="text-xs text-soft">{strings.metric.counterfactual(formatValue(answer.counterfactualMetric))}</span>
      )}
    </p>
  );
}
