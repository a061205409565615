'use client';
import { isPart } from '@/lib/board/queues.ts';
import type { Answer, Term } from '@/lib/engine/index.ts';
import { formatShare, formatSigned, visibleToken } from '@/lib/figures/numbers.ts';
import { parentOf } from '@/lib/trie.ts';
import type { SessionDetail, Setup } from '@/lib/wire.ts';
import { Pedigree } from '@/app/boards/[boardId]/pedigree.tsx';
import { useAnswer } from '@/app/boards/[boardId]/use-answer.ts';
import { CopyButton } from '@/app/ui/copy-button.tsx';
import { Fault } from '@/app/ui/field.tsx';
import { KindBadge } from '@/app/ui/kind-badge.tsx';
import { requestOf } from '@/app/ui/setup-request.ts';
import { SignedBar } from '@/app/ui/signed-bar.tsx';
import { strings } from '@/app/ui/strings.ts';
import { TokenChip } from '@/app/ui/token-chip.tsx';
import { boardAddress } from './board-address.ts';
import type { ShownItem } from './label-entries.ts';

interface ItemCardProps {
  one: ShownItem;
  detail: SessionDetail;
  revealed: boolean;
  /** what comes next: its numbers are asked for meanwhile */
  next: string | null;
}

/** What is to be labelled: its name, its numbers and where they come from. Nothing of anybody's label. */
export function ItemCard({ one, detail, revealed, next }: ItemCardProps) {
  const words = strings.sessions.queue;
  const hidden = detail.hidesNumbers && !revealed;
  const source = useByToken(hidden ? null : one.anchor, detail.setup);
  useByToken(hidden ? null : next, detail.setup);
  return (
    <section className="rounded-[3px] border border-line bg-paper" data-testid="item">
      <header className="flex flex-wrap items-start justify-between gap-2 border-b border-line px-3 py-2">
        <h2 className="name min-w-0 py-0.5 text-base font-semibold" data-testid="anchor">
          {one.title ?? one.anchor}
        </h2>
        <span className="flex shrink-0 items-center gap-1">
          <CopyButton text={one.anchor} what={words.copyName} />
          <a
            href={boardAddress(detail.boardId, one.anchor)}
            target="_blank"
            rel="noopener"
            title={words.newTab}
            className="text-xs text-soft underline underline-offset-2"
          >
            {words.onBoard}
          </a>
        </span>
      </header>
      {one.members ? <Members members={one.members} /> : null}
      <div className="grid gap-3 px-3 py-2.5">
        {hidden ? <p className="text-xs text-soft">{words.hidden}</p> : <Numbers one={one} answer={detail.answer} />}
        <Tokens answer={detail.answer} values={source.values} />
        {source.error ? <Fault>{source.error}</Fault> : null}
        {source.values ? <SourceTable answer={detail.answer} values={source.values} /> : null}
        {hidden ? null : <Pedigree answer={detail.answer} />}
      </div>
    </section>
  );
}

function Members({ members }: { members: readonly string[] }) {
  return (
    <details className="border-b border-line px-3 py-1.5 text-xs">
      <summary className="text-soft">{strings.sessions.queue.members(members.length)}</summary>
      <ul className="mt-1 max-h-40 overflow-y-auto">
        {members.map((name) => (
          <li key={name} className="name">
            {name}
          </li>
        ))}
      </ul>
    </details>
  );
}

function Numbers({ one, answer }: { one: ShownItem; answer: Answer }) {
  const words = strings.sessions.queue;
  if (one.value === null) return <p className="text-xs text-soft">{words.noValue}</p>;
  const { metric } = answer;
  return (
    <dl className="flex flex-wrap items-center gap-x-6 gap-y-1 text-sm">
      <div className="flex items-center gap-2">
        <dt className="flex items-center gap-2 text-soft">
          {words.adds} <KindBadge kind="identity" />
        </dt>
        <dd className="font-mono" data-testid="value">
          {formatSigned(one.value)}
        </dd>
        <dd>
          <CopyButton text={String(one.value)} what={words.copyValue} />
        </dd>
      </div>
      {metric === null ? null : (
        <div className="flex items-center gap-2">
          <dt className="text-soft">{words.share}</dt>
          <dd className="font-mono">{formatShare(one.value, metric)}</dd>
        </div>
      )}
    </dl>
  );
}

/** Painted at its strongest, so that text on it keeps its contrast. */
const DEEPEST = 45;

/** The prompt, with the tokens from which the item's value comes in the colours of its sign. */
function Tokens({ answer, values }: { answer: Answer; values: readonly number[] | null }) {
  const words = strings.sessions.queue;
  const largest = values?.reduce((most, value) => Math.max(most, Math.abs(value)), 0) ?? 0;
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a long prompt scrolls
    <ol tabIndex={0} aria-label={words.tokens} className="flex max-h-40 flex-wrap gap-x-px gap-y-0.5 overflow-y-auto">
      {answer.tokens.map((token, index) => {
        const text = answer.tokenTexts?.[index] ?? String(token);
        const value = values?.[index] ?? null;
        const here = index === answer.position;
        const part = value === null || largest === 0 ? 0 : Math.round((Math.abs(value) / largest) * DEEPEST);
        const tone = value !== null && value < 0 ? 'var(--negative)' : 'var(--positive)';
        return (
          <li
            key={index}
            title={here ? words.readAt(text, index) : value === null ? undefined : words.token(text, index, formatSigned(value))}
            style={part > 0 ? { backgroundColor: `color-mix(in srgb, ${tone} ${part}%, var(--sunken))` } : undefined}
            className={`relative rounded-[2px] px-1 pb-1.5 font-mono text-sm leading-5 ${here ? 'font-semibold' : ''} bg-sunken`}
          >
            {visibleToken(text)}
            {here ? (
              <span aria-hidden="true" className="absolute inset-x-0 bottom-[-1px] text-center text-[0.5625rem] leading-none">
                ▲
              </span>
            ) : null}
          </li>
        );
      })}
    </ol>
  );
}

const SHOWN = 6;

/** The tokens that carry most of it, largest first. */
function SourceTable({ answer, values }: { answer: Answer; values: readonly number[] }) {
  const scale = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const places = values
    .map((value, index) => ({ value, index }))
    .filter(({ value }) => Math.abs(value) >= 0.01 * scale && value !== 0)
    .sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
  const rest = places.slice(SHOWN);
  if (places.length === 0) return null;
  return (
    <div>
      <h3 className="mb-1 text-xs text-soft">{strings.sessions.queue.source}</h3>
      <ul className="grid max-w-xl gap-px" data-testid="by-token">
        {places.slice(0, SHOWN).map(({ value, index }) => (
          <li key={index} className="grid grid-cols-[1.5rem_minmax(0,6rem)_1fr_4rem] items-center gap-2 text-xs">
            <span className="text-right font-mono text-2xs text-soft">{index}</span>
            <TokenChip
              text={answer.tokenTexts?.[index] ?? String(answer.tokens[index] ?? '')}
              className="max-w-full justify-self-start truncate"
            />
            <SignedBar value={value} scale={scale} />
            <span className="text-right font-mono">{formatSigned(value)}</span>
          </li>
        ))}
        {rest.length > 0 ? (
          <li className="grid grid-cols-[1.5rem_minmax(0,6rem)_1fr_4rem] items-center gap-2 text-xs text-soft">
            <span />
            <span>{strings.inspector.otherTokens(rest.length)}</span>
            <SignedBar value={sum(rest.map(({ value }) => value))} scale={scale} />
            <span className="text-right font-mono">{formatSigned(sum(rest.map(({ value }) => value)))}</span>
          </li>
        ) : null}
      </ul>
    </div>
  );
}

/** A path's value by the token where its source wrote; a suffix's by the token where its first node reads. */
function useByToken(anchor: string | null, setup: Setup): { values: readonly number[] | null; error: string | null } {
  const part = anchor !== null && isPart(anchor) ? anchor : null;
  const parent = part === null ? null : parentOf(part);
  const split = useAnswer(parent === null ? null : requestOf(setup, 'suffixes', { paths: [parent], byToken: true }));
  const term = split.stale ? undefined : split.answer?.terms.find(({ name }) => name === part);
  const own = useAnswer(term?.open && part !== null ? requestOf(setup, 'suffixes', { paths: [part], byToken: true }) : null);
  const children = own.stale ? [] : (own.answer?.terms.filter((child) => parentOf(child.name) === part) ?? []);
  return { values: term?.open ? addedUp(children) : (term?.byToken ?? null), error: split.error ?? own.error };
}

function addedUp(children: readonly Term[]): number[] | null {
  const rows = children.flatMap(({ byToken }) => (byToken ? [byToken] : []));
  return rows.length === 0 ? null : rows[0]!.map((_, token) => sum(rows.map((row) => row[token]!)));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
