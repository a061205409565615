'use client';
import { useMemo, useState } from 'react';
import { ofRun, type AnalyzeRequest, type RunAnswer } from '@/lib/engine/index.ts';
import { isModelAnchor } from '@/lib/board/anchors.ts';
import { columnsOf, DEFECT_COLUMNS } from '@/lib/figures/columns.ts';
import { csvOf, fileStem, tableCsv, tableText } from '@/lib/figures/csv.ts';
import { blocksOf, byOrder, interactionTable, interactionsFigure } from '@/lib/figures/interactions.ts';
import { formatCount, formatError, formatShare, formatSigned, formatValue } from '@/lib/figures/numbers.ts';
import { CopyButton } from '@/app/ui/copy-button.tsx';
import { ExportBar } from '@/app/ui/export-bar.tsx';
import { ScrollRegion } from '@/app/ui/scroll-region.tsx';
import { strings } from '@/app/ui/strings.ts';
import { requestOf } from '@/app/ui/setup-request.ts';
import { AnswerWait } from './answer-wait.tsx';
import { AttachControl } from './attach-control.tsx';
import { useBoard } from './board-context.tsx';
import { useHovered } from './links.ts';
import { MatrixCanvas, type Cell } from './matrix-canvas.tsx';
import { NumberGrid } from './number-grid.tsx';
import { Pedigree } from './pedigree.tsx';
import { useAnswer } from './use-answer.ts';
import { useSetting } from './use-setting.ts';
import { ViewHeading } from './view-heading.tsx';

const LIMITS = [1, 2, 3, 4, 5, 6];

/** What blocks add together beyond what they add apart, each really run [M18], and how far each is from additive [M19]. */
export function InteractionsView() {
  const { setup } = useBoard();
  const [limitSetting, setLimit] = useSetting('interactions', 'limit');
  const limit = LIMITS.find((known) => String(known) === limitSetting) ?? null;
  const request = requestOf(setup, 'interactions', limit === null ? {} : { maxDegree: limit });
  const state = useAnswer(request);
  const answer = useMemo(() => state.answer && ofRun(state.answer), [state.answer]);
  const ready = answer !== null && !state.stale;

  return (
    <section aria-labelledby="interactions-heading" className="flex flex-col">
      <ViewHeading
        id="interactions-heading"
        title={strings.views.interactions}
        kind="identity"
        meaning={strings.interactions.meaning}
        exports={
          ready ? (
            <ExportBar
              what={strings.views.interactions}
              file={fileStem(answer)}
              text={() => tableText(columnsOf(answer), answer.terms)}
              csv={() => csvOf(answer)}
              svg={() => interactionsFigure(answer)}
            />
          ) : null
        }
      >
        <label className="flex items-center gap-1 text-xs text-soft">
          {strings.interactions.limit}
          <select
            value={limit ?? ''}
            onChange={(event) => setLimit(event.target.value || null)}
            className="rounded-[3px] border border-strong bg-paper px-1 py-0.5 text-ink"
          >
            <option value="">{strings.interactions.usual}</option>
            {LIMITS.map((known) => (
              <option key={known} value={known}>
                {known}
              </option>
            ))}
          </select>
        </label>
      </ViewHeading>
      <div className="grid min-w-0 gap-6 p-3">{ready ? <Answered answer={answer} request={request} /> : <AnswerWait state={state} />}</div>
    </section>
  );
}

function Answered({ answer, request }: { answer: RunAnswer; request: AnalyzeRequest }) {
  const { notes, settings } = answer;
  return (
    <>
      <div className="grid gap-1">
        <p data-testid="sum-check" className="text-sm">
          {strings.interactions.sum(
            formatValue((answer.sum ?? 0) - (answer.remainder ?? 0)),
            formatCount(answer.terms.length),
            formatValue(answer.remainder ?? 0),
            formatValue(answer.metric),
            formatError(answer.error ?? Number.NaN),
          )}{' '}
          <CopyButton text={String(answer.sum)} what={strings.interactions.sumLong} />
        </p>
        <p className="text-xs text-soft">{strings.interactions.orders(Number(settings?.['maxDegree']), Number(settings?.['blocks']))}</p>
        {notes.map((note) => (
          <p key={note} className="text-xs text-soft">
            {note}
          </p>
        ))}
      </div>
      <div className="flex min-w-0 flex-wrap gap-x-10 gap-y-6">
        <BlockMatrix answer={answer} />
        <Orders answer={answer} />
      </div>
      <SetList answer={answer} />
      <Defects answer={answer} />
      <div>
        <Pedigree answer={answer} />
        <AttachControl request={request} anchor={null} />
      </div>
    </>
  );
}

/** Pairs by block and block, single blocks on the diagonal. Blocks of attention and MLPs are nodes that other views know. */
function BlockMatrix({ answer }: { answer: RunAnswer }) {
  const { links, select } = useBoard();
  const [cell, setCell] = useState<Cell | null>(null);
  const [, setBlock] = useSetting('interactions', 'block');
  const table = useMemo(() => interactionTable(answer), [answer]);
  const { blocks, pair } = table;
  const hovered = useHovered(links);
  const matrix = useMemo(
    () => ({ rows: blocks, columns: blocks, value: (row: number, column: number) => pair(blocks[row]!, blocks[column]!)?.value ?? null }),
    [blocks, pair],
  );
  const place = hovered === null ? -1 : blocks.findIndex((block) => isIn(hovered, block));
  const cursor = cell ?? (place >= 0 ? { row: place, column: -1 } : null);
  const term = cell && pair(blocks[cell.row]!, blocks[cell.column]!);

  return (
    <figure className="min-w-0">
      <figcaption className="text-xs font-semibold">{strings.interactions.matrix}</figcaption>
      <ScrollRegion label={strings.interactions.matrix}>
        <MatrixCanvas
          label={strings.interactions.matrixKeys}
          matrix={matrix}
          down={strings.interactions.block}
          along={strings.interactions.block}
          room={420}
          cell={{ least: 10, most: 40 }}
          cursor={cursor}
          onCursor={(next) => {
            setCell(next);
            links.hover(next && isModelAnchor(blocks[next.row]!) ? blocks[next.row]! : null);
          }}
          onPick={({ row }) => {
            setBlock(blocks[row]!);
            if (isModelAnchor(blocks[row]!)) select(blocks[row]!);
          }}
        />
      </ScrollRegion>
      <p role="status" data-testid="pair-readout" className="flex h-5 items-center gap-2 text-xs">
        {term ? (
          <>
            <span className="font-mono">{term.name}</span>
            <b className="font-mono font-semibold">{formatSigned(term.value ?? Number.NaN)}</b>
            <span className="text-soft">{formatShare(term.value ?? 0, answer.metric)}</span>
            <CopyButton text={String(term.value)} what={term.name} />
          </>
        ) : (
          <span className="text-soft">{strings.interactions.matrixHint}</span>
        )}
      </p>
    </figure>
  );
}

/** Whether a node belongs to a block such as `a0`, `m0` or `a0+m0`. */
function isIn(node: string, block: string): boolean {
  const layer = /^([am]\d+)(?:\.h\d+)?$/.exec(node)?.[1];
  return layer !== undefined && block.split('+').includes(layer);
}

function Orders({ answer }: { answer: RunAnswer }) {
  const { columns } = strings.interactions;
  return (
    <table className="h-max text-sm">
      <caption className="pb-1 text-left text-xs font-semibold">{strings.interactions.byOrder}</caption>
      <thead>
        <tr className="border-b border-line text-2xs text-soft">
          <th scope="col" className="py-1 pr-4 text-left font-normal">
            {columns.order}
          </th>
          <th scope="col" className="pr-4 text-right font-normal">
            {columns.sets}
          </th>
          <th scope="col" className="pr-4 text-right font-normal">
            {columns.value}
          </th>
          <th scope="col" className="text-right font-normal">
            {columns.mass}
          </th>
        </tr>
      </thead>
      <tbody className="font-mono text-xs">
        {byOrder(answer).map(({ order, sets, value, mass }) => (
          <tr key={order} className="border-b border-line" data-order={order}>
            <th scope="row" className="py-1 text-left font-normal">
              {order}
            </th>
            <td className="pr-4 text-right">{formatCount(sets)}</td>
            <td className="pr-4 text-right" data-exact={value}>
              {formatSigned(value)}
            </td>
            <td className="text-right text-soft">{formatValue(mass)}</td>
          </tr>
        ))}
        {answer.remainder ? (
          <tr className="border-b border-line" data-order="remainder">
            <th scope="row" className="py-1 pr-4 text-left font-sans font-normal">
              {strings.interactions.remainder}
            </th>
            <td className="pr-4 text-right">–</td>
            <td className="pr-4 text-right">{formatSigned(answer.remainder)}</td>
            <td className="text-right">–</td>
          </tr>
        ) : null}
      </tbody>
    </table>
  );
}

function SetList({ answer }: { answer: RunAnswer }) {
  const [orderSetting, setOrder] = useSetting('interactions', 'order');
  const [block, setBlock] = useSetting('interactions', 'block');
  const { blocks } = useMemo(() => interactionTable(answer), [answer]);
  const orders = useMemo(() => byOrder(answer).map(({ order }) => order), [answer]);
  const order = orders.find((known) => String(known) === orderSetting) ?? null;
  const chosen = block !== null && blocks.includes(block) ? block : null;
  const rows = useMemo(
    () => answer.terms.filter((term) => (order === null || term.degree === order) && (chosen === null || blocksOf(term).includes(chosen))),
    [answer, order, chosen],
  );
  return (
    <div className="max-w-[44rem] min-w-0">
      <div className="mb-1 flex flex-wrap items-center gap-3 text-xs">
        <h3 className="font-semibold">{strings.interactions.list}</h3>
        <label className="flex items-center gap-1 text-soft">
          {strings.interactions.order}
          <select
            value={order ?? ''}
            onChange={(event) => setOrder(event.target.value || null)}
            className="rounded-[3px] border border-strong bg-paper px-1 py-0.5 text-ink"
          >
            <option value="">{strings.interactions.all}</option>
            {orders.map((known) => (
              <option key={known} value={known}>
                {known}
              </option>
            ))}
          </select>
        </label>
        <label className="flex items-center gap-1 text-soft">
          {strings.interactions.with}
          <select
            value={chosen ?? ''}
            onChange={(event) => setBlock(event.target.value || null)}
            className="rounded-[3px] border border-strong bg-paper px-1 py-0.5 font-mono text-ink"
          >
            <option value="">{strings.interactions.any}</option>
            {blocks.map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
      </div>
      <NumberGrid
        key={`${order} ${chosen}`}
        label={strings.interactions.list}
        columns={columnsOf(answer)}
        rows={rows}
        sorted={{ key: 'value', order: 'largest' }}
        most={14}
        onSelect={() => null}
      />
    </div>
  );
}

function Defects({ answer }: { answer: RunAnswer }) {
  const { select } = useBoard();
  const defects = answer.defects ?? [];
  if (defects.length === 0) return null;
  return (
    <div className="max-w-[32rem] min-w-0">
      <ViewHeading
        part
        title={strings.interactions.defects}
        kind="approximation"
        meaning={strings.interactions.defectsMeaning}
        exports={
          <ExportBar
            what={strings.interactions.defects}
            file={`${fileStem(answer)}-defects`}
            text={() => tableText(DEFECT_COLUMNS, defects)}
            csv={() => tableCsv(DEFECT_COLUMNS, defects)}
          />
        }
      />
      <div className="mt-2">
        <NumberGrid
          label={strings.interactions.defects}
          columns={DEFECT_COLUMNS}
          rows={defects}
          most={12}
          onSelect={(name) => (isModelAnchor(name) ? () => select(name) : null)}
        />
      </div>
    </div>
  );
}
