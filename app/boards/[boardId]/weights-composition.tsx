'use client';
import { useMemo, useState } from 'react';
import type { Answer } from '@/lib/engine/index.ts';
import { columnsOf } from '@/lib/figures/columns.ts';
import { compositionTable, excessOf, pairsAbove, SLOTS, type CompositionSlot, type CompositionTable } from '@/lib/figures/composition.ts';
import { formatCount, formatSigned, formatValue } from '@/lib/figures/numbers.ts';
import { ScrollRegion } from '@/app/ui/scroll-region.tsx';
import { strings } from '@/app/ui/strings.ts';
import { useBoard } from './board-context.tsx';
import { useHovered, useOthers } from './links.ts';
import { MatrixCanvas, type Cell } from './matrix-canvas.tsx';
import { NumberGrid } from './number-grid.tsx';
import { useSetting } from './use-setting.ts';

/** Deviations above random heads that a pair can be asked to reach. */
const LEVELS = [1, 2, 3, 5, 10, 20, 50];

export function Composition({ answer }: { answer: Answer }) {
  const { select } = useBoard();
  const [above, setAbove] = useSetting('weights', 'above');
  const [sorted, setSorted] = useSetting('weights', 'slot');
  const least = LEVELS.find((level) => String(level) === above) ?? null;
  const table = useMemo(() => compositionTable(answer), [answer]);
  const shown = useMemo(() => pairsAbove(answer, least), [answer, least]);
  const slot = SLOTS.find((known) => known === sorted) ?? 'k';

  return (
    <>
      <div className="flex flex-wrap items-center gap-3 text-xs">
        <label className="flex items-center gap-1 text-soft">
          {strings.weights.above}
          <select
            value={least ?? ''}
            onChange={(event) => setAbove(event.target.value || null)}
            className="rounded-[3px] border border-strong bg-paper px-1 py-0.5 text-ink"
          >
            <option value="">{strings.weights.any}</option>
            {LEVELS.map((level) => (
              <option key={level} value={level}>
                {strings.weights.deviations(level)}
              </option>
            ))}
          </select>
        </label>
        <span role="status" data-testid="pairs-shown" className="text-soft">
          {strings.weights.shown(formatCount(shown.length), formatCount(answer.terms.length))}
        </span>
      </div>
      <ScrollRegion label={strings.weights.composition}>
        <div className="flex w-max gap-6">
          {SLOTS.map((name) => (
            <SlotMap key={name} slot={name} answer={answer} table={table} least={least} />
          ))}
        </div>
      </ScrollRegion>
      <div className="max-w-[44rem] min-w-0">
        <NumberGrid
          key={slot}
          label={strings.weights.pairs}
          columns={columnsOf(answer)}
          rows={shown}
          sorted={{ key: slot, order: 'descending' }}
          onSorted={({ key }) => setSorted(key === 'k' || !SLOTS.some((known) => known === key) ? null : key)}
          most={8}
          onSelect={(name) => () => select(name)}
        />
      </div>
    </>
  );
}

interface SlotMapProps {
  slot: CompositionSlot;
  answer: Answer;
  table: CompositionTable;
  least: number | null;
}

/** Who writes by who reads, with how strongly random heads of the same shapes would compose. */
function SlotMap({ slot, answer, table, least }: SlotMapProps) {
  const { links, select } = useBoard();
  const [cell, setCell] = useState<Cell | null>(null);
  const { writers, readers, term } = table;
  const hovered = useHovered(links);
  const others = useOthers(links);
  const matrix = useMemo(() => {
    const value = (row: number, column: number) => {
      const pair = term(writers[row]!, readers[column]!);
      if (!pair) return null;
      const score = pair[slot] ?? null;
      return least !== null && (excessOf(score, slot, answer) ?? -Infinity) < least ? 0 : score;
    };
    return { rows: writers, columns: readers, value };
  }, [answer, writers, readers, term, slot, least]);
  const largest = useMemo(() => answer.terms.reduce((most, pair) => Math.max(most, pair[slot] ?? 0), 0), [answer, slot]);
  const pairAt = ({ row, column }: Cell) => term(writers[row]!, readers[column]!);
  const placeOf = (anchor: string | null): Cell | null => {
    const [writer, reader] = (anchor ?? '').replace(/<[qkv]>$/, '').split('->');
    const place = { row: writers.indexOf(writer ?? ''), column: readers.indexOf(reader ?? '') };
    return place.row >= 0 && place.column >= 0 ? place : null;
  };
  const cursor = cell ?? placeOf(hovered);
  const outlined = [...others].flatMap(([anchor, users]) => {
    const place = placeOf(anchor);
    return place && users[0] ? [{ cell: place, colour: users[0].color }] : [];
  });
  const pair = cursor && pairAt(cursor);
  const score = pair?.[slot];

  return (
    <figure data-slot={slot}>
      <figcaption className="text-xs font-semibold">{strings.weights.slots[slot]}</figcaption>
      <MatrixCanvas
        label={strings.weights.mapKeys(strings.weights.slots[slot])}
        matrix={matrix}
        down={strings.weights.writes}
        along={strings.weights.reads}
        largest={largest}
        room={264}
        cell={{ least: 2, most: 24 }}
        cursor={cursor}
        outlined={outlined}
        onCursor={(next) => {
          setCell(next);
          links.hover(next && pairAt(next) ? `${pairAt(next)!.name}<${slot}>` : null);
        }}
        onPick={(next) => {
          const picked = pairAt(next);
          if (picked) select(`${picked.name}<${slot}>`);
        }}
      />
      <RandomScale slot={slot} answer={answer} largest={largest} at={typeof score === 'number' ? score : null} />
      <p className="h-5 text-xs" data-testid={`pair-${slot}`}>
        {pair ? (
          <>
            <span className="font-mono">{pair.name}</span>{' '}
            <b className="font-mono font-semibold">{typeof score === 'number' ? formatValue(score) : '–'}</b>{' '}
            <span className="text-soft">{excessText(excessOf(score, slot, answer))}</span>
          </>
        ) : null}
      </p>
    </figure>
  );
}

function excessText(excess: number | null): string {
  return excess === null ? '' : strings.weights.excess(formatSigned(excess));
}

interface RandomScaleProps {
  slot: CompositionSlot;
  answer: Answer;
  largest: number;
  /** the score under the cursor */
  at: number | null;
}

/** The colours from nothing to the largest score, and where random heads lie on them. */
function RandomScale({ slot, answer: { baseline }, largest, at }: RandomScaleProps) {
  const random = baseline?.[slot];
  const place = (value: number) => `${largest > 0 ? Math.max(0, Math.min(100, (100 * value) / largest)) : 0}%`;
  return (
    <div className="mt-1 w-56">
      <div aria-hidden="true" className="relative h-2.5 border border-line bg-gradient-to-r from-transparent to-positive">
        {random ? (
          <span
            className="absolute -inset-y-0.5 border-x border-ink bg-ink/15"
            style={{ left: place(random.mean - random.deviation), right: `calc(100% - ${place(random.mean + random.deviation)})` }}
          />
        ) : null}
        {at === null ? null : <span className="absolute -inset-y-1 w-0.5 bg-ink" style={{ left: place(at) }} />}
      </div>
      <p className="flex justify-between text-2xs text-soft">
        <span>0</span>
        {random ? <span>{strings.weights.random(formatValue(random.mean), formatValue(random.deviation))}</span> : null}
        <span>{formatValue(largest)}</span>
      </p>
    </div>
  );
}
