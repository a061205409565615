'use client';
import { useCallback, useDeferredValue, useEffect, useMemo, useState } from 'react';
import { readLabels } from '@/lib/board/board-doc.ts';
import { groupBy } from '@/lib/engine/collections.ts';
import type { RunAnswer } from '@/lib/engine/index.ts';
import { fileStem, tableCsv, tableText } from '@/lib/figures/csv.ts';
import { formatCount, formatError, formatValue } from '@/lib/figures/numbers.ts';
import { takenColumns, takenRows, takenTrie, unravelFigure, type TrieWords } from '@/lib/figures/unravel.ts';
import type { TrieRow } from '@/lib/trie-rows.ts';
import { ROOT } from '@/lib/trie.ts';
import { Button } from '@/app/ui/button.tsx';
import { download } from '@/app/ui/download.ts';
import { ExportBar } from '@/app/ui/export-bar.tsx';
import { Fault } from '@/app/ui/field.tsx';
import { KindBadge } from '@/app/ui/kind-badge.tsx';
import { ProgressLine } from '@/app/ui/progress-line.tsx';
import { strings } from '@/app/ui/strings.ts';
import { useBoard } from './board-context.tsx';
import { TrieGrid, type TrieGridProps } from './trie-grid.tsx';
import { useLive } from './use-live.ts';
import { useSetting } from './use-setting.ts';
import type { Unravel } from './use-unravel.ts';

const MASSES = [50, 80, 90, 95, 99, 99.9];
const USUAL_MASS = 95;
const SHARES = [0.1, 0.5, 1, 2, 5, 10];

interface UnravelViewProps extends Omit<TrieGridProps, 'unravel' | 'metric' | 'partition' | 'onCopy'> {
  unravel: Unravel;
}

export function UnravelView({ unravel, ...grid }: UnravelViewProps) {
  const { say, session } = useBoard();
  const { answer, partition } = unravel;
  const labels = useLive(session.boardDoc, readLabels).records;
  const labelsAt = useMemo(() => groupBy(labels, ({ anchor }) => anchor), [labels]);
  const labelsOf = useCallback((name: string) => (labelsAt.get(name) ?? []).map(({ text }) => text), [labelsAt]);
  const filter = useFilter(unravel, labelsOf);
  if (!answer || !unravel.trie || !partition) return null;

  const copyRow = (row: TrieRow) => {
    const [taken] = takenRows([row], answer.metric, wordsOf(answer), labelsOf);
    void navigator.clipboard
      .writeText([taken!.name, taken!.value, taken!.share].join('\t'))
      .then(() => say(strings.unravel.copied(taken!.name)))
      .catch(() => undefined);
  };

  return (
    <section aria-labelledby="unravel-title" className="flex min-h-0 flex-1 flex-col">
      <Heading unravel={unravel} answer={answer} labelsOf={labelsOf} />
      <FilterBar {...filter} rows={unravel.rows.length} />
      {unravel.openError ? (
        <div className="px-3 pb-1">
          <Fault>{unravel.openError}</Fault>
        </div>
      ) : null}
      <TrieGrid unravel={unravel} metric={answer.metric} partition={partition} onCopy={copyRow} {...grid} />
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

function wordsOf({ metric }: RunAnswer): TrieWords {
  const { figure, others, column, kinds } = strings.unravel;
  return { title: figure(formatValue(metric)), others, column, kinds };
}

interface HeadingProps {
  unravel: Unravel;
  answer: RunAnswer;
  labelsOf: (name: string) => string[];
}

function Heading({ unravel, answer, labelsOf }: HeadingProps) {
  const [scopeOpen, setScopeOpen] = useState(false);
  const { trie, rows, search } = unravel;
  const columns = takenColumns(strings.unravel.column);
  const file = fileStem({ ...answer, view: 'paths' });
  const shown = () => takenRows(rows, answer.metric, wordsOf(answer), labelsOf);
  const saveAll = () => download(tableCsv(columns, takenTrie(trie!, wordsOf(answer), labelsOf)), `${file}-all.csv`, 'text/csv');
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-1 border-b border-line px-3 py-2">
      <h2 id="unravel-title" className="text-sm font-semibold">
        {strings.views.unravel}
      </h2>
      <KindBadge kind="identity" />
      {search ? (
        <ProgressLine progress={search.progress} onCancel={search.cancel} />
      ) : (
        <OpenUntil onOpen={unravel.openUntil} disabled={unravel.stale || trie?.get(ROOT)?.children === null} />
      )}
      <span className="ml-auto flex flex-wrap items-center">
        <ExportBar
          what={strings.views.unravel}
          file={file}
          text={() => tableText(columns, shown())}
          csv={() => tableCsv(columns, shown())}
          svg={() => unravelFigure(trie!, answer, wordsOf(answer))}
        />
        <Button tone="quiet" small aria-label={strings.unravel.allCsvLong} onClick={saveAll}>
          {strings.unravel.allCsv}
        </Button>
      </span>
      <button
        type="button"
        aria-expanded={scopeOpen}
        onClick={() => setScopeOpen(!scopeOpen)}
        className="rounded-[2px] text-left text-xs text-soft underline decoration-dotted underline-offset-2 sm:hidden"
      >
        {strings.unravel.scopeShort}
      </button>
      <p className={`w-full text-xs text-soft ${scopeOpen ? '' : 'hidden sm:block'}`}>{strings.unravel.scope}</p>
    </div>
  );
}

function OpenUntil({ onOpen, disabled }: { onOpen: (mass: number) => void; disabled: boolean }) {
  const [chosen, choose] = useSetting('unravel', 'mass');
  const mass = MASSES.find((known) => String(known) === chosen) ?? USUAL_MASS;
  return (
    <span className="flex items-center gap-1">
      <Button small onClick={() => onOpen(mass / 100)} disabled={disabled} title={strings.unravel.mass}>
        {strings.unravel.openUntil(`${mass}%`)}
      </Button>
      <select
        aria-label={strings.unravel.masses}
        value={mass}
        onChange={(event) => choose(Number(event.target.value) === USUAL_MASS ? null : event.target.value)}
        className="rounded-[3px] border border-strong bg-paper px-0.5 py-0.5 text-xs"
      >
        {MASSES.map((known) => (
          <option key={known} value={known}>{`${known}%`}</option>
        ))}
      </select>
    </span>
  );
}

interface FilterState {
  text: string;
  share: number;
  setText: (text: string) => void;
  setShare: (share: number) => void;
}

/** What of the rows is asked for, in the address; the rows follow while it is typed, without holding up the typing. */
function useFilter({ filter }: Unravel, labelsOf: (name: string) => string[]): FilterState {
  const [textSetting, setText] = useSetting('unravel', 'filter');
  const [shareSetting, setShare] = useSetting('unravel', 'share');
  const text = textSetting ?? '';
  const share = SHARES.find((known) => String(known) === shareSetting) ?? 0;
  const later = useDeferredValue(text);

  useEffect(() => {
    filter(later === '' && share === 0 ? null : { text: later, share: share / 100, labelsOf });
  }, [filter, later, share, labelsOf]);

  return { text, share, setText: (next) => setText(next || null), setShare: (next) => setShare(next === 0 ? null : String(next)) };
}

function FilterBar({ text, share, setText, setShare, rows }: FilterState & { rows: number }) {
  const count = useMemo(() => formatCount(rows), [rows]);
  return (
    <div className="flex flex-wrap items-center gap-2 border-b border-line px-3 py-1 text-xs text-soft">
      <input
        type="search"
        aria-label={strings.unravel.filter}
        placeholder={strings.unravel.filterPlaceholder}
        value={text}
        maxLength={200}
        onChange={(event) => setText(event.target.value)}
        className="field max-w-44 py-0.5 font-mono text-xs"
      />
      <select
        aria-label={strings.unravel.least}
        value={share}
        onChange={(event) => setShare(Number(event.target.value))}
        className="rounded-[3px] border border-strong bg-paper px-0.5 py-0.5 text-xs text-ink"
      >
        <option value={0}>{strings.unravel.leastAny}</option>
        {SHARES.map((known) => (
          <option key={known} value={known}>
            {strings.unravel.leastOf(`${known}%`)}
          </option>
        ))}
      </select>
      <span role="status">{strings.unravel.rows(count)}</span>
    </div>
  );
}
