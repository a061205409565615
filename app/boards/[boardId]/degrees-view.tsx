'use client';
import { useMemo } from 'react';
import { isOfRun, ofRun, type Answer, type RunAnswer } from '@/lib/engine/index.ts';
import { columnsOf } from '@/lib/figures/columns.ts';
import { csvOf, fileStem, tableText } from '@/lib/figures/csv.ts';
import {
  axisOf,
  interactionsPanel,
  naiveErrorPanel,
  naiveNormPanel,
  ordersPanel,
  panelFigure,
  panelsFigure,
  spectrumPanel,
  type DegreePanel,
} from '@/lib/figures/degree-panels.ts';
import { degreeRows } from '@/lib/figures/degrees.ts';
import { formatError, formatShare, formatSigned, formatValue } from '@/lib/figures/numbers.ts';
import { ExportBar } from '@/app/ui/export-bar.tsx';
import { ScrollRegion } from '@/app/ui/scroll-region.tsx';
import { strings } from '@/app/ui/strings.ts';
import { requestOf } from '@/app/ui/setup-request.ts';
import { AnswerWait } from './answer-wait.tsx';
import { AttachControl } from './attach-control.tsx';
import { useBoard } from './board-context.tsx';
import { Pedigree } from './pedigree.tsx';
import { useAnswer, type AnswerState } from './use-answer.ts';
import { useSetting } from './use-setting.ts';
import { ViewHeading } from './view-heading.tsx';

const NAIVE_LIMITS = [1, 2, 3, 4, 5, 6];
const ORDER_LIMITS = [1, 2, 3, 4, 5, 6];

/** The debate about exactness in one picture: panels on one degree axis, each of one kind of number, never mixed. */
export function DegreesView() {
  const { setup } = useBoard();
  const [naiveLimit, setNaiveLimit] = useLimit('naive', NAIVE_LIMITS);
  const [orderLimit, setOrderLimit] = useLimit('order', ORDER_LIMITS);
  const requests = {
    exact: requestOf(setup, 'degrees'),
    naive: requestOf(setup, 'naive-expansion', naiveLimit === null ? {} : { maxDegree: naiveLimit }),
    interactions: requestOf(setup, 'interactions', orderLimit === null ? {} : { maxDegree: orderLimit }),
    orders: requestOf(setup, 'orders'),
  };
  const spectrum = useAnswer(requests.exact);
  const naive = useAnswer(requests.naive);
  const interactions = useAnswer(requests.interactions);
  const orders = useAnswer(requests.orders);
  const [exact, wrong, nonlinear, importance] = [spectrum, naive, interactions, orders].map(readyOf);
  const panels = useMemo(() => panelsOf({ exact, wrong, nonlinear, importance }), [exact, wrong, nonlinear, importance]);
  const axis = useMemo(() => axisOf(Object.values(panels).flat()), [panels]);
  const drawn = (of: readonly DegreePanel[]) =>
    of.map((panel) => <PanelFigure key={panel.id} svg={panelFigure(panel, axis)} title={panel.title} />);

  return (
    <section aria-labelledby="degrees-heading" className="flex flex-col">
      <ViewHeading
        id="degrees-heading"
        title={strings.views.degrees}
        kind={null}
        meaning={strings.degrees.about}
        exports={
          exact ? (
            <ExportBar
              what={strings.views.degrees}
              file={fileStem(exact)}
              text={() => tableText(columnsOf(exact), exact.terms)}
              csv={() => csvOf(exact)}
              svg={() => panelsFigure(Object.values(panels).flat())}
            />
          ) : null
        }
      />
      <div className="grid min-w-0 gap-5 p-3">
        <Part title={strings.degrees.exact} kind="identity" meaning={strings.degrees.meaning} state={spectrum} answer={exact}>
          <div className="flex min-w-0 flex-wrap gap-x-8 gap-y-3">
            <div className="min-w-0">{drawn(panels.spectrum)}</div>
            {exact ? (
              <ScrollRegion label={strings.degrees.caption} className="max-h-52 min-w-64 flex-1 overflow-auto">
                <SpectrumTable answer={ofRun(exact)} />
              </ScrollRegion>
            ) : null}
          </div>
          {exact ? <AttachControl request={requests.exact} anchor={null} /> : null}
        </Part>
        <Part
          title={strings.degrees.naive}
          kind="approximation"
          meaning={strings.degrees.naiveMeaning}
          state={naive}
          answer={wrong}
          tools={
            <Limit
              label={strings.degrees.upTo}
              usual={strings.degrees.usual}
              value={naiveLimit}
              limits={NAIVE_LIMITS}
              onChange={setNaiveLimit}
            />
          }
        >
          {drawn(panels.naive)}
          {wrong ? <Notes answer={wrong} /> : null}
          {wrong ? <AttachControl request={requests.naive} anchor={null} /> : null}
        </Part>
        <Part
          title={strings.degrees.interactions}
          kind="identity"
          meaning={strings.degrees.interactionsMeaning}
          state={interactions}
          answer={nonlinear}
          tools={
            <Limit
              label={strings.interactions.limit}
              usual={strings.degrees.usual}
              value={orderLimit}
              limits={ORDER_LIMITS}
              onChange={setOrderLimit}
            />
          }
        >
          {drawn(panels.interactions)}
          {nonlinear ? (
            <p className="text-xs text-soft">
              {strings.degrees.interactionsTotal(
                formatValue((nonlinear.sum ?? 0) - (nonlinear.remainder ?? 0)),
                formatValue(nonlinear.remainder ?? 0),
                formatValue(nonlinear.metric ?? Number.NaN),
                formatError(nonlinear.error ?? Number.NaN),
              )}
            </p>
          ) : null}
          {nonlinear ? <Notes answer={nonlinear} /> : null}
          {nonlinear ? <AttachControl request={requests.interactions} anchor={null} /> : null}
        </Part>
        <Part
          title={strings.degrees.orders}
          kind="approximation"
          meaning={strings.degrees.ordersMeaning}
          state={orders}
          answer={importance}
        >
          {drawn(panels.orders)}
          {importance ? <AttachControl request={requests.orders} anchor={null} /> : null}
        </Part>
      </div>
    </section>
  );
}

const readyOf = ({ answer, stale }: AnswerState) => (stale ? null : answer);

interface Ready {
  exact: Answer | null | undefined;
  wrong: Answer | null | undefined;
  nonlinear: Answer | null | undefined;
  importance: Answer | null | undefined;
}

/** Of those parts that are there. */
function panelsOf({ exact, wrong, nonlinear, importance }: Ready) {
  return {
    spectrum: exact && isOfRun(exact) ? [spectrumPanel(exact)] : [],
    naive: wrong ? [naiveErrorPanel(wrong), naiveNormPanel(wrong)] : [],
    interactions: nonlinear && isOfRun(nonlinear) ? [interactionsPanel(nonlinear)] : [],
    orders: importance ? [ordersPanel(importance)] : [],
  };
}

function useLimit(name: string, limits: readonly number[]): [number | null, (limit: number | null) => void] {
  const [setting, set] = useSetting('degrees', name);
  return [limits.find((known) => String(known) === setting) ?? null, (limit) => set(limit === null ? null : String(limit))];
}

interface LimitProps {
  label: string;
  usual: string;
  value: number | null;
  limits: readonly number[];
  onChange: (limit: number | null) => void;
}

function Limit({ label, usual, value, limits, onChange }: LimitProps) {
  return (
    <label className="flex items-center gap-1 text-xs text-soft">
      {label}
      <select
        value={value ?? ''}
        onChange={(event) => onChange(event.target.value === '' ? null : Number(event.target.value))}
        className="rounded-[3px] border border-strong bg-paper px-1 py-0.5 text-ink"
      >
        <option value="">{usual}</option>
        {limits.map((known) => (
          <option key={known} value={known}>
            {known}
          </option>
        ))}
      </select>
    </label>
  );
}

interface PartProps {
  title: string;
  kind: Answer['kind'];
  meaning: string;
  state: AnswerState;
  answer: Answer | null | undefined;
  tools?: React.ReactNode;
  children: React.ReactNode;
}

/** One kind of number by itself: what it means, its figure, where it comes from; it loads, fails and is taken away alone. */
function Part({ title, kind, meaning, state, answer, tools, children }: PartProps) {
  return (
    <div className="grid min-w-0 gap-2" data-part={title}>
      <ViewHeading
        part
        title={title}
        kind={kind}
        meaning={meaning}
        exports={
          answer ? (
            <ExportBar
              what={title}
              file={fileStem(answer)}
              text={() => tableText(columnsOf(answer), answer.terms)}
              csv={() => csvOf(answer)}
            />
          ) : null
        }
      >
        {tools}
      </ViewHeading>
      {answer ? (
        <>
          {children}
          <Pedigree answer={answer} />
        </>
      ) : (
        <AnswerWait state={state} />
      )}
    </div>
  );
}

function PanelFigure({ svg, title }: { svg: string; title: string }) {
  return (
    <ScrollRegion label={title}>
      <div dangerouslySetInnerHTML={{ __html: svg }} />
    </ScrollRegion>
  );
}

function Notes({ answer }: { answer: Answer }) {
  return (
    <ul className="grid gap-0.5 text-xs text-soft">
      {answer.notes.map((note) => (
        <li key={note}>{note}</li>
      ))}
    </ul>
  );
}

function SpectrumTable({ answer }: { answer: RunAnswer }) {
  return (
    <table className="w-full text-sm">
      <caption className="sr-only">{strings.degrees.caption}</caption>
      <thead>
        <tr className="border-b border-line text-2xs text-soft">
          <th scope="col" className="py-1 text-left font-normal">
            {strings.degrees.columns.degree}
          </th>
          <th scope="col" className="text-right font-normal">
            {strings.degrees.columns.value}
          </th>
          <th scope="col" className="text-right font-normal">
            {strings.degrees.columns.share}
          </th>
          <th scope="col" className="text-right font-normal">
            {strings.degrees.columns.running}
          </th>
        </tr>
      </thead>
      <tbody className="font-mono text-xs">
        {degreeRows(answer).map((row) => (
          <tr key={row.degree} className="border-b border-line" data-degree={row.degree}>
            <th scope="row" className="py-1 text-left font-normal">
              {row.degree}
            </th>
            <td className="text-right" data-exact={row.value}>
              {formatSigned(row.value)}
            </td>
            <td className="text-right text-soft">{formatShare(row.value, answer.metric)}</td>
            <td className="text-right">{formatValue(row.running)}</td>
          </tr>
        ))}
      </tbody>
      <tfoot>
        <tr className="text-xs text-soft">
          <td colSpan={4} className="pt-1.5">
            {strings.degrees.total(formatValue(answer.sum ?? 0), formatValue(answer.metric), formatError(answer.error ?? 0))}
          </td>
        </tr>
      </tfoot>
    </table>
  );
}
