'use client';
import { useState } from 'react';
import { formatCount, formatError, formatValue } from '@/lib/figures/numbers.ts';
import { ROOT } from '@/lib/trie.ts';
import { Button } from '@/app/ui/button.tsx';
import { Fault } from '@/app/ui/field.tsx';
import { KindBadge } from '@/app/ui/kind-badge.tsx';
import { ProgressLine } from '@/app/ui/progress-line.tsx';
import { strings } from '@/app/ui/strings.ts';
import { TrieGrid, type TrieGridProps } from './trie-grid.tsx';
import type { Unravel } from './use-unravel.ts';

const MASS = 0.95;

interface UnravelViewProps extends Omit<TrieGridProps, 'unravel' | 'metric'> {
  unravel: Unravel;
}

export function UnravelView({ unravel, ...grid }: UnravelViewProps) {
  const [scopeOpen, setScopeOpen] = useState(false);
  const { answer, partition, search } = unravel;
  if (!answer || !unravel.trie || !partition) return null;
  const rootIsOpen = unravel.trie.get(ROOT)?.children !== null;

  return (
    <section aria-labelledby="unravel-title" className="flex min-h-0 flex-1 flex-col">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1 border-b border-line px-3 py-2">
        <h2 id="unravel-title" className="text-sm font-semibold">
          {strings.views.unravel}
        </h2>
        <KindBadge kind="identity" />
        <button
          type="button"
          aria-expanded={scopeOpen}
          onClick={() => setScopeOpen(!scopeOpen)}
          className="rounded-[2px] text-left text-xs text-soft underline decoration-dotted underline-offset-2 sm:hidden"
        >
          {strings.unravel.scopeShort}
        </button>
        <p className={`min-w-0 flex-1 basis-64 text-xs text-soft ${scopeOpen ? '' : 'hidden sm:block'}`}>{strings.unravel.scope}</p>
        {search ? (
          <ProgressLine progress={search.progress} onCancel={search.cancel} />
        ) : (
          <Button small onClick={() => unravel.openUntil(MASS)} disabled={!rootIsOpen}>
            {strings.unravel.openUntil}
          </Button>
        )}
      </div>
      {unravel.openError ? (
        <div className="px-3 pb-1">
          <Fault>{unravel.openError}</Fault>
        </div>
      ) : null}
      <TrieGrid unravel={unravel} metric={answer.metric} {...grid} />
      <p data-testid="totals" className="border-t border-line px-3 py-1.5 text-xs text-soft">
        {strings.unravel.totals(
          formatValue(partition.complete.value),
          formatCount(partition.complete.count),
          formatValue(partition.unopened.value),
          formatCount(partition.unopened.count),
          formatValue(answer.metric),
          formatError(partition.error),
        )}
        {unravel.searchNote ? ` · ${unravel.searchNote}` : null}
      </p>
    </section>
  );
}
