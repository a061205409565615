'use client';
import { useState } from 'react';
import { groupAnchor, readAnchor } from '@/lib/board/anchors.ts';
import { readGroups } from '@/lib/board/board-doc.ts';
import { parentsOf } from '@/lib/board/mechanism.ts';
import { SESSION_LIMITS, isPart, pickTerms, termsNeeded, type Picked } from '@/lib/board/queues.ts';
import type { AnalyzeRequest } from '@/lib/engine/index.ts';
import { formatShare, formatSigned } from '@/lib/figures/numbers.ts';
import type { Pick, Setup } from '@/lib/wire.ts';
import { Button } from '@/app/ui/button.tsx';
import { Fault, Field } from '@/app/ui/field.tsx';
import { KindBadge } from '@/app/ui/kind-badge.tsx';
import { ProgressLine } from '@/app/ui/progress-line.tsx';
import { requestOf } from '@/app/ui/setup-request.ts';
import { strings } from '@/app/ui/strings.ts';
import { useBoard } from './board-context.tsx';
import { linesOf } from './lines.ts';
import { useAnswer } from './use-answer.ts';
import { useLive } from './use-live.ts';

type Way = Pick['by'];

export interface Picking {
  way: Way;
  setWay: (way: Way) => void;
  count: number;
  setCount: (count: number) => void;
  of: 'value' | 'share';
  setOf: (of: 'value' | 'share') => void;
  least: string;
  setLeast: (least: string) => void;
  text: string;
  setText: (text: string) => void;
  /** null: nothing is picked yet */
  pick: Pick | null;
  /** why what was written cannot be a queue */
  fault: string | null;
}

/** How the items are picked, as it is being filled in. */
export function usePick(): Picking {
  const { session } = useBoard();
  const groups = useLive(session.boardDoc, readGroups).records;
  const [way, setWay] = useState<Way>('top');
  const [count, setCount] = useState(12);
  const [of, setOf] = useState<'value' | 'share'>('value');
  const [least, setLeast] = useState('0.1');
  const [text, setText] = useState('');
  const anchors = linesOf(text);
  const known = new Set(groups.map(({ id }) => groupAnchor(id)));
  const fault = way === 'hand' ? faultOf(anchors, known) : null;
  const pick = fault === null ? pickOf(way, count, of, Number(least), anchors) : null;
  return { way, setWay, count, setCount, of, setOf, least, setLeast, text, setText, pick, fault };
}

function pickOf(way: Way, count: number, of: 'value' | 'share', least: number, anchors: string[]): Pick | null {
  switch (way) {
    case 'top':
      return Number.isInteger(count) && count >= 1 && count <= SESSION_LIMITS.items ? { by: 'top', count } : null;
    case 'threshold':
      return least > 0 ? { by: 'threshold', of, least: of === 'share' ? least / 100 : least } : null;
    case 'hand':
      return anchors.length > 0 && anchors.length <= SESSION_LIMITS.items ? { by: 'hand', anchors } : null;
  }
}

function faultOf(anchors: readonly string[], groups: ReadonlySet<string>): string | null {
  const words = strings.sessions.setUp;
  const wrong = anchors.find((anchor) => readAnchor(anchor)?.kind !== 'model' && !groups.has(anchor));
  if (wrong !== undefined) return words.anchorWrong(wrong);
  const twice = anchors.find((anchor, index) => anchors.indexOf(anchor) < index);
  return twice === undefined ? null : words.anchorTwice(twice);
}

const WAYS: readonly Way[] = ['top', 'threshold', 'hand'];

/** Which paths are labelled, with the queue as it will be. */
export function SessionItems({ picking }: { picking: Picking }) {
  const words = strings.sessions.setUp;
  const { way, setWay } = picking;
  return (
    <fieldset className="grid gap-3 sm:grid-cols-2">
      <legend className="mb-1 text-xs font-medium text-soft">{words.items}</legend>
      <div className="grid content-start gap-2 text-sm">
        <div className="flex flex-wrap gap-x-4 gap-y-1">
          {WAYS.map((one) => (
            <label key={one} className="flex items-baseline gap-1.5">
              <input type="radio" name="pick" checked={way === one} onChange={() => setWay(one)} />
              {words.by[one]}
            </label>
          ))}
        </div>
        {way === 'top' ? (
          <TopFields picking={picking} />
        ) : way === 'threshold' ? (
          <ThresholdFields picking={picking} />
        ) : (
          <HandFields picking={picking} />
        )}
      </div>
      <Preview pick={picking.pick} fault={picking.fault} />
    </fieldset>
  );
}

function TopFields({ picking: { count, setCount } }: { picking: Picking }) {
  return (
    <Field label={strings.sessions.setUp.count}>
      {(control) => (
        <input
          {...control}
          type="number"
          min={1}
          max={SESSION_LIMITS.items}
          value={count}
          onChange={(event) => setCount(Number(event.target.value))}
          className="field w-24 text-sm"
        />
      )}
    </Field>
  );
}

function ThresholdFields({ picking: { of, setOf, least, setLeast } }: { picking: Picking }) {
  const words = strings.sessions.setUp;
  return (
    <span className="flex flex-wrap items-end gap-2">
      <Field label={words.least}>
        {(control) => (
          <input
            {...control}
            type="number"
            min={0}
            step="any"
            value={least}
            onChange={(event) => setLeast(event.target.value)}
            className="field w-24 text-sm"
          />
        )}
      </Field>
      <Field label={words.of}>
        {(control) => (
          <select
            {...control}
            value={of}
            onChange={(event) => setOf(event.target.value === 'share' ? 'share' : 'value')}
            className="field text-sm"
          >
            <option value="value">{words.ofs.value}</option>
            <option value="share">{words.ofs.share}</option>
          </select>
        )}
      </Field>
    </span>
  );
}

function HandFields({ picking: { text, setText, fault } }: { picking: Picking }) {
  const { session } = useBoard();
  const words = strings.sessions.setUp;
  const groups = useLive(session.boardDoc, readGroups).records;
  const selected = new URLSearchParams(location.search).get('select');
  const add = (anchor: string) => setText(`${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${anchor}\n`);
  return (
    <>
      <Field label={words.anchors} error={fault}>
        {(control) => (
          <textarea
            {...control}
            rows={5}
            value={text}
            onChange={(event) => setText(event.target.value)}
            className="field font-mono text-xs"
          />
        )}
      </Field>
      {selected !== null && readAnchor(selected)?.kind === 'model' ? (
        <div>
          <Button small onClick={() => add(selected)}>
            <span className="max-w-72 truncate">{words.addSelected(selected)}</span>
          </Button>
        </div>
      ) : null}
      {groups.length > 0 ? (
        <div className="grid gap-1 text-xs text-soft">
          {words.anchorsHint}
          <span className="flex flex-wrap gap-1">
            {groups.map(({ id, name }) => (
              <Button key={id} small aria-label={words.addMechanism(name)} onClick={() => add(groupAnchor(id))}>
                {name}
              </Button>
            ))}
          </span>
        </div>
      ) : null}
    </>
  );
}

const PAUSE_MS = 400;
const SHOWN = 100;

/** The queue as the server will make it of the same pick. */
function Preview({ pick, fault }: { pick: Pick | null; fault: string | null }) {
  const { session, setup } = useBoard();
  const words = strings.sessions.setUp;
  const groups = useLive(session.boardDoc, readGroups).records;
  const { answer, stale, error, progress, retry } = useAnswer(pick === null ? null : requestFor(pick, setup), PAUSE_MS);
  if (fault !== null) return null;
  if (pick === null) return <p className="text-xs text-soft">{words.handNone}</p>;
  if (error) {
    return (
      <div>
        <p className="text-xs text-soft">{words.previewFault}</p>
        <Fault>{error}</Fault>
        <Button small onClick={retry}>
          {strings.common.tryAgain}
        </Button>
      </div>
    );
  }
  if (!answer || stale) return <ProgressLine progress={progress} />;
  const { metric } = answer;
  const items: Picked[] =
    pick.by === 'hand'
      ? pick.anchors.map((anchor) => ({
          anchor,
          title: null,
          members: null,
          value: answer.terms.find(({ name }) => name === anchor)?.value ?? null,
        }))
      : pickTerms(answer.terms, metric ?? Number.NaN, pick);
  if (items.length === 0) return <p className="text-xs text-soft">{words.previewNone}</p>;
  if (items.length > SESSION_LIMITS.items) return <Fault>{words.previewMost(SESSION_LIMITS.items)}</Fault>;
  const nameOf = (anchor: string) => groups.find(({ id }) => groupAnchor(id) === anchor)?.name ?? anchor;
  return (
    <div className="min-w-0">
      <p className="mb-1 flex items-center gap-2 text-xs font-medium text-soft">
        <span data-testid="preview">{words.preview(items.length)}</span> <KindBadge kind="identity" />
      </p>
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls */}
      <div tabIndex={0} role="region" aria-label={words.preview(items.length)} className="max-h-48 overflow-y-auto border-y border-line">
        <table className="w-full text-xs">
          <thead className="sr-only">
            <tr>
              <th scope="col">{words.columns.item}</th>
              <th scope="col">{words.columns.anchor}</th>
              <th scope="col">{words.columns.value}</th>
              <th scope="col">{words.columns.share}</th>
            </tr>
          </thead>
          <tbody>
            {items.slice(0, SHOWN).map(({ anchor, value }, index) => (
              <tr key={anchor} className="align-baseline">
                <td className="w-6 pr-2 text-right font-mono text-2xs text-soft">{index + 1}</td>
                <td className="name">{nameOf(anchor)}</td>
                <td className="pl-2 text-right font-mono whitespace-nowrap">{value === null ? '–' : formatSigned(value)}</td>
                <td className="pl-2 text-right font-mono whitespace-nowrap text-soft">
                  {value === null || metric === null ? '' : formatShare(value, metric)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
        {items.length > SHOWN ? <p className="px-2 py-1 text-xs text-soft">{words.previewMore(items.length - SHOWN)}</p> : null}
      </div>
    </div>
  );
}

function requestFor(pick: Pick, setup: Setup): AnalyzeRequest {
  if (pick.by !== 'hand') return requestOf(setup, 'paths', { top: termsNeeded(pick) });
  const parents = parentsOf(pick.anchors.filter(isPart));
  return requestOf(setup, 'suffixes', { paths: parents.length > 0 ? parents : ['logits'] });
}
