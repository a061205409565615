'use client';
import { useState } from 'react';
import type { AnalyzeRequest, Answer, Term } from '@/lib/engine/index.ts';
import { columnsOf, type Column } from '@/lib/figures/columns.ts';
import { csvOf, fileStem, tableText } from '@/lib/figures/csv.ts';
import { headPlace } from '@/lib/figures/heads.ts';
import { formatSigned, visibleToken } from '@/lib/figures/numbers.ts';
import { Button } from '@/app/ui/button.tsx';
import { ExportBar } from '@/app/ui/export-bar.tsx';
import { strings } from '@/app/ui/strings.ts';
import { AnswerWait } from './answer-wait.tsx';
import { useBoard } from './board-context.tsx';
import { NumberGrid } from './number-grid.tsx';
import { Pedigree } from './pedigree.tsx';
import { useAnswer } from './use-answer.ts';
import { useSetting } from './use-setting.ts';
import { ViewHeading } from './view-heading.tsx';

const TOPS = [20, 50, 200];

/** The largest entries of one head's full circuits, token to token [M20]. */
export function Circuits({ selection, foldNorm }: { selection: string | null; foldNorm: boolean }) {
  const { setup } = useBoard();
  const [setting, setHead] = useSetting('weights', 'head');
  const [topSetting, setTop] = useSetting('weights', 'top');
  const asked = setting !== null && headPlace(setting) ? setting : null;
  const [draft, setDraft] = useState<string | null>(null);
  const name = draft ?? headIn(selection) ?? asked ?? 'a0.h0';
  const top = TOPS.find((known) => String(known) === topSetting) ?? TOPS[0]!;
  const request: AnalyzeRequest | null = asked === null ? null : { view: 'circuits', model: setup.model, nodes: [asked], foldNorm, top };
  const state = useAnswer(request);
  const answer = state.stale ? null : state.answer;
  const isHead = headPlace(name) !== null;

  return (
    <div className="grid min-w-0 gap-3">
      <ViewHeading
        part
        title={asked === null ? strings.weights.circuits : strings.weights.circuitsOf(asked)}
        kind="weights"
        meaning={strings.weights.circuitsMeaning}
        exports={
          answer ? (
            <ExportBar
              what={strings.weights.circuits}
              file={`${fileStem(answer)}-${asked}`}
              text={() => tableText(columnsOf(answer), answer.terms)}
              csv={() => csvOf(answer)}
            />
          ) : null
        }
      >
        <form
          className="flex flex-wrap items-center gap-1.5"
          onSubmit={(event) => {
            event.preventDefault();
            setDraft(null);
            if (isHead) setHead(name);
          }}
        >
          <input
            aria-label={strings.weights.headField}
            value={name}
            onChange={(event) => setDraft(event.target.value.trim())}
            aria-invalid={!isHead}
            maxLength={20}
            className="field w-24 py-0.5 font-mono text-xs"
          />
          <Button type="submit" small disabled={!isHead || name === asked}>
            {strings.weights.showCircuits}
          </Button>
          <select
            aria-label={strings.weights.entries}
            value={top}
            onChange={(event) => setTop(Number(event.target.value) === TOPS[0] ? null : event.target.value)}
            className="rounded-[3px] border border-strong bg-paper px-0.5 py-0.5 text-xs"
          >
            {TOPS.map((known) => (
              <option key={known} value={known}>
                {strings.weights.top(known)}
              </option>
            ))}
          </select>
        </form>
      </ViewHeading>
      {asked !== null && !answer ? <AnswerWait state={state} /> : null}
      {answer ? (
        <>
          <div className="grid min-w-0 gap-4 xl:grid-cols-2">
            <Entries circuit="ov" answer={answer} />
            <Entries circuit="qk" answer={answer} />
          </div>
          <Pedigree answer={answer} />
        </>
      ) : null}
    </div>
  );
}

/** The head that is selected, or at which what is selected ends or starts. */
function headIn(selection: string | null): string | null {
  const names = (selection ?? '').replaceAll(/<[qkv]>/g, '').split('->');
  return names.toReversed().find((name) => headPlace(name) !== null) ?? null;
}

type Circuit = 'ov' | 'qk';

const tokenText = (text: string | undefined, id: string) => (text === undefined ? id : `${visibleToken(text)} (${id})`);
const ends = ({ name }: Term) => name.slice(3).split('->');

function columnsFor(from: string, to: string): Column<Term>[] {
  return [
    { key: 'from', title: from, unit: null, read: (term) => tokenText(term.fromText, ends(term)[0] ?? '') },
    { key: 'to', title: to, unit: null, read: (term) => tokenText(term.toText, ends(term)[1] ?? '') },
    { key: 'value', title: 'entry', unit: 'weights', format: formatSigned, read: (term) => term.value },
  ];
}

const COLUMNS: Record<Circuit, Column<Term>[]> = {
  ov: columnsFor(strings.weights.columns.attended, strings.weights.columns.raised),
  qk: columnsFor(strings.weights.columns.query, strings.weights.columns.key),
};

function Entries({ circuit, answer }: { circuit: Circuit; answer: Answer }) {
  return (
    <div className="min-w-0" data-circuit={circuit}>
      <h4 className="mb-1 text-xs font-semibold text-soft">{strings.weights.circuit[circuit]}</h4>
      <NumberGrid
        label={strings.weights.circuit[circuit]}
        columns={COLUMNS[circuit]}
        rows={answer.terms.filter(({ name }) => name.startsWith(`${circuit}:`))}
        sorted={{ key: 'value', order: 'largest' }}
        most={20}
        onSelect={() => null}
      />
    </div>
  );
}
