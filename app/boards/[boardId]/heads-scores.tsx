'use client';
import { useMemo } from 'react';
import type { RunAnswer } from '@/lib/engine/index.ts';
import { columnsOf } from '@/lib/figures/columns.ts';
import { headName, headPlace, SCORES, type HeadTable, type Score } from '@/lib/figures/heads.ts';
import { formatValue } from '@/lib/figures/numbers.ts';
import { ScrollRegion } from '@/app/ui/scroll-region.tsx';
import { strings } from '@/app/ui/strings.ts';
import { useBoard } from './board-context.tsx';
import { useHovered, useOthers } from './links.ts';
import { MatrixCanvas, type Cell } from './matrix-canvas.tsx';
import { NumberGrid } from './number-grid.tsx';
import { useSetting } from './use-setting.ts';

interface HeadScoresProps {
  answer: RunAnswer;
  table: HeadTable;
  head: string;
  onChoose: (head: string) => void;
}

/** Layer by head, a map for each score, and the same as a list. All of them light the head under the cursor. */
export function HeadScores({ answer, table, head, onChoose }: HeadScoresProps) {
  const { links } = useBoard();
  const [sorted, setSorted] = useSetting('heads', 'score');
  const hovered = useHovered(links);
  const others = useOthers(links);
  const usual = SCORES.findLast((known) => hasScore(table, known)) ?? 'previous';
  const score = SCORES.find((known) => known === sorted) ?? usual;
  const shownHead = hovered !== null && headPlace(hovered) ? hovered : head;
  const rows = useMemo(() => Array.from({ length: table.layers }, (_, layer) => String(layer)), [table]);
  const columns = useMemo(() => Array.from({ length: table.heads }, (_, index) => String(index)), [table]);
  const outlined = [...others].flatMap(([name, users]) => {
    const place = headPlace(name);
    return place && users[0] ? [{ cell: cellOf(place), colour: users[0].color }] : [];
  });
  const place = headPlace(shownHead);

  return (
    <div className="grid min-w-0 gap-3">
      <ScrollRegion label={strings.heads.scores}>
        <div className="flex w-max gap-6">
          {SCORES.map((name) => (
            <figure key={name} data-score={name}>
              <figcaption className="text-xs font-semibold">{strings.heads.score[name]}</figcaption>
              {hasScore(table, name) ? (
                <ScoreMap
                  name={name}
                  table={table}
                  rows={rows}
                  columns={columns}
                  cursor={place && cellOf(place)}
                  outlined={outlined}
                  onHover={(cell) => links.hover(cell && headName(cell.row, cell.column))}
                  onPick={(cell) => onChoose(headName(cell.row, cell.column))}
                />
              ) : (
                <p className="max-w-56 pt-2 text-xs text-soft">{strings.heads.nothingToScore[name]}</p>
              )}
            </figure>
          ))}
        </div>
      </ScrollRegion>
      <p data-testid="head-readout" className="text-xs">
        <span className="font-mono font-semibold">{shownHead}</span>
        {place
          ? SCORES.map((name) => {
              const value = table.score(name, place.layer, place.head);
              return (
                <span key={name} className="ml-3 text-soft">
                  {strings.heads.short[name]} <span className="font-mono text-ink">{value === null ? '–' : formatValue(value)}</span>
                </span>
              );
            })
          : null}
      </p>
      <div className="max-w-[40rem] min-w-0">
        <NumberGrid
          key={score}
          label={strings.heads.list}
          columns={columnsOf(answer)}
          rows={answer.terms}
          sorted={{ key: score, order: 'descending' }}
          onSorted={({ key }) => setSorted(key === usual || !SCORES.some((known) => known === key) ? null : key)}
          most={6}
          onSelect={(name) => () => onChoose(name)}
        />
      </div>
    </div>
  );
}

interface ScoreMapProps {
  name: Score;
  table: HeadTable;
  rows: string[];
  columns: string[];
  cursor: Cell | null;
  outlined: { cell: Cell; colour: string }[];
  onHover: (cell: Cell | null) => void;
  onPick: (cell: Cell) => void;
}

function ScoreMap({ name, table, rows, columns, cursor, outlined, onHover, onPick }: ScoreMapProps) {
  const matrix = useMemo(
    () => ({ rows, columns, value: (layer: number, head: number) => table.score(name, layer, head) }),
    [name, table, rows, columns],
  );
  return (
    <MatrixCanvas
      label={strings.heads.mapKeys(strings.heads.score[name])}
      matrix={matrix}
      down={strings.heads.layer}
      along={strings.heads.head}
      room={264}
      cell={{ least: 12, most: 26 }}
      cursor={cursor}
      outlined={outlined}
      onCursor={onHover}
      onPick={onPick}
    />
  );
}

const cellOf = ({ layer, head }: { layer: number; head: number }): Cell => ({ row: layer, column: head });

function hasScore(table: HeadTable, score: Score): boolean {
  for (let layer = 0; layer < table.layers; layer++) {
    for (let head = 0; head < table.heads; head++) if (table.score(score, layer, head) !== null) return true;
  }
  return false;
}
