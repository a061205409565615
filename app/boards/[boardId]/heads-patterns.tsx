'use client';
import { useEffect, useMemo, useRef, useState, type KeyboardEvent } from 'react';
import type { RunAnswer } from '@/lib/engine/index.ts';
import { tokenAnchor } from '@/lib/board/anchors.ts';
import { fileStem, tableCsv, tableText } from '@/lib/figures/csv.ts';
import { headName, headPlace, patternFigure, patternRows, PATTERN_COLUMNS, type HeadTable } from '@/lib/figures/heads.ts';
import { formatValue, visibleToken } from '@/lib/figures/numbers.ts';
import { CopyButton } from '@/app/ui/copy-button.tsx';
import { ExportBar } from '@/app/ui/export-bar.tsx';
import { ScrollRegion } from '@/app/ui/scroll-region.tsx';
import { strings } from '@/app/ui/strings.ts';
import { requestOf } from '@/app/ui/setup-request.ts';
import { TokenChip } from '@/app/ui/token-chip.tsx';
import { useColours, type Colours } from '@/app/ui/use-colours.ts';
import { AnswerWait } from './answer-wait.tsx';
import { useBoard } from './board-context.tsx';
import { useHovered } from './links.ts';
import { MatrixCanvas, type Cell, type Matrix } from './matrix-canvas.tsx';
import { usePatterns, type Pattern } from './use-patterns.ts';
import { useSetting } from './use-setting.ts';
import { ViewHeading } from './view-heading.tsx';

interface HeadPatternsProps {
  answer: RunAnswer;
  table: HeadTable;
  head: string;
  onChoose: (head: string) => void;
}

/** The patterns of a whole layer, small, and the chosen head's in full. */
export function HeadPatterns({ answer, table, head, onChoose }: HeadPatternsProps) {
  const { setup } = useBoard();
  const { layer } = headPlace(head)!;
  const heads = useMemo(() => Array.from({ length: table.heads }, (_, index) => headName(layer, index)), [layer, table.heads]);
  const length = answer.position + 1;
  const patterns = usePatterns(requestOf(setup, 'heads'), ordered(heads, head), length);
  const pattern = patterns.of.get(head) ?? null;
  const texts = textsOf(answer);

  return (
    <div className="grid min-w-0 gap-3">
      <ViewHeading
        part
        title={strings.heads.pattern(head)}
        kind="identity"
        meaning={strings.heads.patternMeaning}
        exports={
          pattern ? (
            <ExportBar
              what={strings.heads.pattern(head)}
              file={`${fileStem(answer)}-${head}`}
              text={() => tableText(PATTERN_COLUMNS, patternRows(pattern, texts))}
              csv={() => tableCsv(PATTERN_COLUMNS, patternRows(pattern, texts))}
              svg={() => patternFigure(head, strings.heads.pattern(head), pattern, texts)}
            />
          ) : null
        }
      >
        <label className="flex items-center gap-1 text-xs text-soft">
          {strings.heads.layer}
          <select
            value={layer}
            onChange={(event) => onChoose(headName(Number(event.target.value), headPlace(head)!.head))}
            className="rounded-[3px] border border-strong bg-paper px-1 py-0.5 text-ink"
          >
            {Array.from({ length: table.layers }, (_, index) => (
              <option key={index} value={index}>
                {index}
              </option>
            ))}
          </select>
        </label>
      </ViewHeading>
      <Thumbnails heads={heads} head={head} patterns={patterns.of} onChoose={onChoose} />
      {patterns.progress || patterns.error !== null || patterns.cancelled || !pattern ? <AnswerWait state={patterns} /> : null}
      {pattern ? <FullPattern name={head} pattern={pattern} texts={texts} follows /> : null}
    </div>
  );
}

/** The chosen one first, so that it is there first. */
function ordered(heads: readonly string[], head: string): string[] {
  return [head, ...heads.filter((name) => name !== head)];
}

export function textsOf({ tokens, tokenTexts }: RunAnswer): string[] {
  return tokens.map((token, index) => tokenTexts?.[index] ?? String(token));
}

interface ThumbnailsProps {
  heads: readonly string[];
  head: string;
  patterns: ReadonlyMap<string, Pattern>;
  onChoose: (head: string) => void;
}

function Thumbnails({ heads, head, patterns, onChoose }: ThumbnailsProps) {
  const group = useRef<HTMLDivElement>(null);
  const colours = useColours();
  const onKeyDown = (event: KeyboardEvent) => {
    const at = heads.indexOf(head);
    const steps: Record<string, number> = {
      ArrowLeft: at - 1,
      ArrowRight: at + 1,
      ArrowUp: at - 1,
      ArrowDown: at + 1,
      Home: 0,
      End: heads.length - 1,
    };
    const to = steps[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const next = Math.max(0, Math.min(heads.length - 1, to));
    onChoose(heads[next]!);
    group.current?.querySelectorAll('button')[next]?.focus();
  };
  return (
    // oxlint-disable-next-line jsx-a11y/interactive-supports-focus -- the chosen radio has the focus
    <div ref={group} role="radiogroup" aria-label={strings.heads.thumbnails} onKeyDown={onKeyDown} className="flex flex-wrap gap-1.5">
      {heads.map((name) => (
        <Thumbnail
          key={name}
          name={name}
          pattern={patterns.get(name) ?? null}
          chosen={name === head}
          colours={colours}
          onChoose={onChoose}
        />
      ))}
    </div>
  );
}

interface ThumbnailProps {
  name: string;
  pattern: Pattern | null;
  chosen: boolean;
  colours: Colours | null;
  onChoose: (head: string) => void;
}

/** From so many tokens on most weights are too small to see as they are. */
const LONG = 64;
/** Device pixels of a thumbnail's side; a longer pattern keeps the largest weight of what falls on one pixel. */
const THUMBNAIL = 64;

function Thumbnail({ name, pattern, chosen, colours, onChoose }: ThumbnailProps) {
  const { links } = useBoard();
  const canvas = useRef<HTMLCanvasElement>(null);
  const hovered = useHovered(links) === name;
  useEffect(() => {
    if (canvas.current && colours && pattern) drawSmall(canvas.current, pattern, colours.positive);
  }, [pattern, colours]);
  return (
    <button
      type="button"
      role="radio"
      aria-checked={chosen}
      tabIndex={chosen ? 0 : -1}
      data-head={name}
      data-lit={hovered || undefined}
      onClick={() => onChoose(name)}
      onPointerEnter={() => links.hover(name)}
      onPointerLeave={() => links.hover(null)}
      className={`rounded-[3px] border p-0.5 text-center font-mono text-2xs ${chosen ? 'border-ink bg-chosen font-semibold' : hovered ? 'border-strong bg-hover' : 'border-line'}`}
    >
      <canvas ref={canvas} aria-hidden="true" className="block h-16 w-16 bg-paper" style={{ imageRendering: 'pixelated' }} />
      {name}
    </button>
  );
}

function drawSmall(canvas: HTMLCanvasElement, { length, weights }: Pattern, [red, green, blue]: readonly [number, number, number]): void {
  const side = Math.max(1, Math.min(length, THUMBNAIL));
  canvas.width = side;
  canvas.height = side;
  const context = canvas.getContext('2d');
  if (!context) return;
  const largest = new Float32Array(side * side);
  for (let query = 0; query < length; query++) {
    const row = Math.floor((query * side) / length) * side;
    for (let key = 0; key <= query; key++) {
      const at = row + Math.floor((key * side) / length);
      largest[at] = Math.max(largest[at]!, weights[query * length + key]!);
    }
  }
  const image = context.createImageData(side, side);
  largest.forEach((weight, at) =>
    image.data.set([red, green, blue, Math.round(255 * (length > LONG ? Math.sqrt(weight) : weight))], 4 * at),
  );
  context.putImageData(image, 0, 0);
}

interface FullPatternProps {
  /** of a head, or of a pair of heads read as one */
  name: string;
  pattern: Pattern;
  texts: readonly string[];
  /** whether it follows the token strip, and the query that the address keeps */
  follows: boolean;
}

/** A pattern with its tokens. A query under the cursor, here or on the token strip, shows on the strip what it attends to. */
export function FullPattern({ name, pattern, texts, follows }: FullPatternProps) {
  const { links, paint } = useBoard();
  const [cell, setCell] = useState<Cell | null>(null);
  const [pinned, setPinned] = useSetting('heads', 'token');
  const owner = useRef({});
  const token = queryOf(useHovered(links), pattern.length);
  const kept = queryOf(pinned === null ? null : tokenAnchor(Number(pinned)), pattern.length);
  const query = follows ? (token ?? cell?.row ?? kept) : (cell?.row ?? null);
  const key = cell?.row === query ? cell!.column : null;
  const matrix = useMemo(() => matrixOf(pattern, texts), [pattern, texts]);

  useEffect(() => {
    const self = owner.current;
    if (query === null) return;
    const { length, weights } = pattern;
    const values = Array.from(weights.subarray(query * length, (query + 1) * length));
    paint.show(self, { label: strings.heads.attends(name, query, texts[query] ?? ''), values });
    return () => paint.clear(self);
  }, [name, pattern, query, texts, paint]);

  return (
    <div className="grid min-w-0 gap-1">
      <ScrollRegion label={strings.heads.pattern(name)}>
        <MatrixCanvas
          label={strings.heads.patternKeys(name)}
          matrix={matrix}
          down={strings.heads.query}
          along={strings.heads.key}
          largest={1}
          rooted={pattern.length > LONG}
          room={512}
          cell={{ least: 1, most: 26 }}
          cursor={query === null ? null : { row: query, column: key ?? -1 }}
          onCursor={(next) => {
            setCell(next);
            links.hover(next ? name : null);
          }}
          onPick={({ row }) => follows && setPinned(pinned === String(row) ? null : String(row))}
        />
      </ScrollRegion>
      {pattern.length > LONG ? <p className="text-2xs text-soft">{strings.heads.rooted}</p> : null}
      <p role="status" data-testid="pattern-readout" className="flex min-h-5 flex-wrap items-center gap-1.5 text-xs">
        {query === null ? (
          <span className="text-soft">{strings.heads.patternHint}</span>
        ) : (
          <Readout pattern={pattern} texts={texts} query={query} at={key ?? strongestKey(pattern, query)} strongest={key === null} />
        )}
      </p>
    </div>
  );
}

interface ReadoutProps {
  pattern: Pattern;
  texts: readonly string[];
  query: number;
  at: number;
  strongest: boolean;
}

function Readout({ pattern, texts, query, at, strongest }: ReadoutProps) {
  const weight = pattern.weights[query * pattern.length + at] ?? 0;
  return (
    <>
      <span className="text-soft">{strings.heads.query}</span> <span className="font-mono">{query}</span>
      <TokenChip text={texts[query] ?? ''} />
      <span className="text-soft">{strongest ? strings.heads.readsMost : strings.heads.reads}</span>
      <span className="font-mono">{at}</span>
      <TokenChip text={texts[at] ?? ''} />
      <b className="font-mono font-semibold" data-weight={weight}>
        {at > query ? strings.heads.later : formatValue(weight)}
      </b>
      <CopyButton text={String(weight)} what={strings.heads.weight} />
    </>
  );
}

const TOKEN = /^token:(\d+)$/;

function queryOf(anchor: string | null, length: number): number | null {
  const position = Number(TOKEN.exec(anchor ?? '')?.[1] ?? Number.NaN);
  return position < length ? position : null;
}

function strongestKey({ length, weights }: Pattern, query: number): number {
  let best = 0;
  for (let key = 1; key <= query; key++) if (weights[query * length + key]! > weights[query * length + best]!) best = key;
  return best;
}

function matrixOf({ length, weights }: Pattern, texts: readonly string[]): Matrix {
  const names = Array.from({ length }, (_, index) => `${index} ${visibleToken(texts[index] ?? '')}`);
  return { rows: names, columns: names, value: (query, key) => (key > query ? null : weights[query * length + key]!) };
}
