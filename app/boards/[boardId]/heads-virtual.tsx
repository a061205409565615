'use client';
import { useMemo } from 'react';
import type { Answer, RunAnswer } from '@/lib/engine/index.ts';
import { columnsOf } from '@/lib/figures/columns.ts';
import { csvOf, fileStem, tableText } from '@/lib/figures/csv.ts';
import { headName, headPlace, patternFigure, type HeadTable } from '@/lib/figures/heads.ts';
import { formatError, formatValue } from '@/lib/figures/numbers.ts';
import { Button } from '@/app/ui/button.tsx';
import { ExportBar } from '@/app/ui/export-bar.tsx';
import { strings } from '@/app/ui/strings.ts';
import { requestOf } from '@/app/ui/setup-request.ts';
import { AnswerWait } from './answer-wait.tsx';
import { useBoard } from './board-context.tsx';
import { FullPattern, textsOf } from './heads-patterns.tsx';
import { Pedigree } from './pedigree.tsx';
import { useAnswer } from './use-answer.ts';
import type { Pattern } from './use-patterns.ts';
import { useSetting } from './use-setting.ts';
import { ViewHeading } from './view-heading.tsx';

interface VirtualHeadProps {
  answer: RunAnswer;
  table: HeadTable;
  head: string;
  selection: string | null;
}

/** Two heads in a row read as one: (A₂A₁) ⊗ (OV₁OV₂) [M20]. */
export function VirtualHead({ answer, table, head, selection }: VirtualHeadProps) {
  const { setup, select } = useBoard();
  const [setting, setPair] = useSetting('heads', 'pair');
  const given = pairOf(setting, table);
  const [first, second] = given ?? pairOf(selection, table) ?? pairWith(head, table);
  const name = `${first}->${second}`;
  const state = useAnswer(given ? requestOf(setup, 'virtual-head', { edges: [name] }) : null);
  const found = state.stale ? null : state.answer;
  const pattern = useMemo(() => found && patternOf(found, answer.position + 1), [found, answer.position]);
  const texts = textsOf(answer);

  return (
    <div className="grid min-w-0 gap-2">
      <ViewHeading
        part
        title={strings.heads.virtual}
        kind="identity"
        meaning={strings.heads.virtualMeaning}
        exports={
          found && pattern ? (
            <ExportBar
              what={strings.heads.virtual}
              file={`${fileStem(found)}-${name.replace('->', '-')}`}
              text={() => tableText(columnsOf(found), found.terms)}
              csv={() => csvOf(found)}
              svg={() => patternFigure(name, strings.heads.pattern(name), pattern, texts)}
            />
          ) : null
        }
      >
        <HeadSelect label={strings.heads.first} table={table} value={first} onChange={(next) => setPair(joined(next, second, table))} />
        <HeadSelect label={strings.heads.second} table={table} value={second} onChange={(next) => setPair(joined(first, next, table))} />
        {given ? (
          <>
            <Button small onClick={() => select(name)}>
              {strings.heads.showEdge(name)}
            </Button>
            <Button small tone="quiet" onClick={() => setPair(null)}>
              {strings.common.close}
            </Button>
          </>
        ) : (
          <Button small onClick={() => setPair(name)}>
            {strings.heads.readAsOne}
          </Button>
        )}
      </ViewHeading>
      {given && !found ? <AnswerWait state={state} /> : null}
      {found && pattern ? (
        <>
          <FullPattern name={name} pattern={pattern} texts={texts} follows={false} />
          <p className="text-xs text-soft" data-testid="virtual-facts">
            {strings.heads.virtualFacts(
              formatValue(found.sum ?? Number.NaN),
              String(pattern.length),
              formatError(found.error ?? Number.NaN),
              number(found, 'ovNorm'),
              number(found, 'vComposition'),
            )}
          </p>
          <Pedigree answer={found} />
        </>
      ) : null}
    </div>
  );
}

function number({ settings }: Answer, name: string): string {
  const value = settings?.[name];
  return typeof value === 'number' ? formatValue(value) : '–';
}

interface HeadSelectProps {
  label: string;
  table: HeadTable;
  value: string;
  onChange: (head: string) => void;
}

function HeadSelect({ label, table, value, onChange }: HeadSelectProps) {
  return (
    <label className="flex items-center gap-1 text-xs text-soft">
      {label}
      <select
        value={value}
        onChange={(event) => onChange(event.target.value)}
        className="rounded-[3px] border border-strong bg-paper px-1 py-0.5 font-mono text-ink"
      >
        {Array.from({ length: table.layers * table.heads }, (_, index) => {
          const name = headName(Math.floor(index / table.heads), index % table.heads);
          return (
            <option key={name} value={name}>
              {name}
            </option>
          );
        })}
      </select>
    </label>
  );
}

/** Two heads of the model, the second of a later layer; null for anything else, whoever wrote it. */
function pairOf(text: string | null, { layers, heads }: HeadTable): [string, string] | null {
  const names = text?.split('->') ?? [];
  const [first, second] = names.map(headPlace);
  if (names.length !== 2 || !first || !second || first.layer >= second.layer || second.layer >= layers) return null;
  return first.head < heads && second.head < heads ? [names[0]!, names[1]!] : null;
}

/** The head with one of the layer before it, or of the first with one of the next. */
function pairWith(head: string, table: HeadTable): [string, string] {
  const { layer, head: index } = headPlace(head)!;
  return layer > 0 ? [headName(layer - 1, 0), head] : [headName(0, index), headName(Math.min(1, table.layers - 1), 0)];
}

/** The pair as chosen; where the order does not hold, the other one moves. */
function joined(first: string, second: string, { layers }: HeadTable): string {
  const [one, two] = [headPlace(first)!, headPlace(second)!];
  if (one.layer < two.layer) return `${first}->${second}`;
  if (one.layer + 1 < layers) return `${first}->${headName(one.layer + 1, two.head)}`;
  return `${headName(two.layer - 1 < 0 ? 0 : two.layer - 1, one.head)}->${two.layer === 0 ? headName(1, two.head) : second}`;
}

const ENTRY = /^(\d+)<-(\d+)$/;

function patternOf({ terms }: Answer, length: number): Pattern {
  const weights = new Float32Array(length * length);
  for (const { name, value } of terms) {
    const match = ENTRY.exec(name);
    if (match) weights[Number(match[1]) * length + Number(match[2])] = value ?? 0;
  }
  return { length, weights };
}
