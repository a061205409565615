'use client';
import { memo } from 'react';
import type { Label } from '@/lib/board/records.ts';
import { formatCount, formatShare, formatSigned } from '@/lib/figures/numbers.ts';
import type { TrieRow } from '@/lib/trie-rows.ts';
import { tokensOf, type Partition } from '@/lib/trie.ts';
import { Avatar } from '@/app/ui/avatar.tsx';
import { SignedBar } from '@/app/ui/signed-bar.tsx';
import { strings } from '@/app/ui/strings.ts';
import { useBoard } from './board-context.tsx';
import { useRowLight } from './links.ts';
import type { Peer } from './use-presence.ts';

/** What people have put on a path. */
export interface RowMarks {
  labels: readonly Label[];
  /** names of those it is a member of */
  mechanisms: readonly string[];
  comments: number;
  lookers: readonly Peer[];
}

interface RowPlace {
  index: number;
  top: number;
  height: number;
  active: boolean;
  /** the largest |value| of all rows */
  scale: number;
  metric: number;
}

export const COLUMNS =
  'grid-cols-[minmax(0,1fr)_4.5rem_3.5rem] sm:grid-cols-[minmax(0,1fr)_7rem_4.5rem_3.75rem_2rem_3rem] xl:grid-cols-[minmax(0,1fr)_16rem_4.5rem_3.75rem_2rem_3rem]';

/** The grid has the focus; the row where it is shows it. */
const FOCUSED =
  'group-focus-visible:outline group-focus-visible:outline-2 group-focus-visible:-outline-offset-2 group-focus-visible:outline-ink';

/** Of a known size and with nothing that sticks out, so that one row drawn anew lays out no other. */
const ROW = `absolute inset-x-0 grid ${COLUMNS} items-center gap-x-2 px-3 text-sm [contain:strict]`;

interface PathRowProps extends RowPlace {
  row: Extract<TrieRow, { kind: 'path' }>;
  marks: RowMarks;
  selected: boolean;
  pending: boolean;
  onSelect: (name: string) => void;
  onToggle: (name: string) => void;
}

/** Drawn again only when something of its own changes: a list of them scrolls past at sixty frames a second. */
export const PathRow = memo(function PathRow(props: PathRowProps) {
  const { row, index, top, height, active, scale, metric, marks, selected, pending, onSelect, onToggle } = props;
  const { node } = row;
  const { links } = useBoard();
  const { own, onPath, tokenShare, outline } = useRowLight(links, node.name, () => tokensOf(node));
  const edge = marks.lookers[0]?.user.color ?? outline;
  const ground = selected ? 'bg-chosen' : own ? 'bg-hover' : '';
  const toggle = () => onToggle(node.name);
  return (
    // oxlint-disable-next-line jsx-a11y/click-events-have-key-events -- the grid has the keys
    <div
      role="row"
      id={`row-${index}`}
      aria-rowindex={index + 2}
      aria-level={row.level}
      aria-posinset={row.place}
      aria-setsize={row.siblings}
      aria-selected={selected}
      aria-busy={pending || undefined}
      {...(node.open ? { 'aria-expanded': row.expanded } : {})}
      data-path={node.name}
      onClick={() => onSelect(node.name)}
      onDoubleClick={toggle}
      data-lit={own || undefined}
      data-on-path={onPath || undefined}
      data-token-share={tokenShare || undefined}
      style={{ top, height, ...(edge ? { boxShadow: `inset 3px 0 0 ${edge}` } : {}) }}
      className={`${ROW} cursor-default ${ground} ${active ? FOCUSED : ''}`}
    >
      <span role="gridcell" className="flex min-w-0 items-center gap-1" style={{ paddingLeft: Math.min(row.level - 1, 12) * 14 }}>
        <Disclosure open={node.open} expanded={row.expanded} pending={pending} onToggle={toggle} />
        {onPath ? <span aria-hidden="true" className="-mr-0.5 h-3.5 w-0.5 shrink-0 bg-ink" /> : null}
        <PathName name={node.name} />
        {marks.labels.map((label) => (
          <LabelChip key={label.id} text={label.text} />
        ))}
        {[...new Set(marks.mechanisms)].map((name) => (
          <MechanismChip key={name} name={name} />
        ))}
      </span>
      <span role="gridcell" className="relative hidden sm:block">
        <SignedBar value={node.value} scale={scale} />
        {tokenShare > 0 ? <TokenPart value={node.value} part={tokenShare} scale={scale} /> : null}
      </span>
      <Number text={formatSigned(node.value)} />
      <Number text={formatShare(node.value, metric)} soft />
      <span role="gridcell" className="hidden text-right font-mono text-xs text-soft sm:block">
        {marks.comments > 0 ? <span aria-label={strings.unravel.comments(marks.comments)}>{marks.comments}</span> : null}
      </span>
      <span role="gridcell" className="hidden items-center -space-x-1 sm:flex">
        {marks.lookers.slice(0, 3).map((peer) => (
          <Avatar key={peer.clientId} name={peer.user.name} color={peer.user.color} title={strings.present.looksHere(peer.user.name)} />
        ))}
      </span>
    </div>
  );
});

/** How much of Σ|by token| the token under the cursor has, as a mark on the bar. */
function TokenPart({ value, part, scale }: { value: number; part: number; scale: number }) {
  const width = scale > 0 ? (Math.min(1, Math.abs(value) / scale) * 50 * part) / 100 : 0;
  return (
    <span aria-hidden="true" className="absolute inset-x-0 top-1/2 h-1 -translate-y-1/2">
      <span className={`absolute inset-y-0 bg-ink ${value >= 0 ? 'left-1/2' : 'right-1/2'}`} style={{ width: `max(2px, ${width}%)` }} />
    </span>
  );
}

function Disclosure({ open, expanded, pending, onToggle }: { open: boolean; expanded: boolean; pending: boolean; onToggle: () => void }) {
  if (!open) return <span className="w-5 shrink-0" />;
  return (
    <button
      type="button"
      tabIndex={-1}
      aria-hidden="true"
      onClick={(event) => {
        event.stopPropagation();
        onToggle();
      }}
      className="flex h-5 w-5 shrink-0 items-center justify-center rounded-[2px] text-2xs text-soft hover:bg-chosen hover:text-ink"
    >
      {pending ? '…' : expanded ? '▾' : '▸'}
    </button>
  );
}

/** The stop that this row adds stands out from the suffix it leads into. */
export function PathName({ name }: { name: string }) {
  const arrow = name.indexOf('->');
  if (arrow < 0) return <span className="truncate font-mono text-xs">{name}</span>;
  return (
    <span className="min-w-20 truncate font-mono text-xs" title={name}>
      {name.slice(0, arrow)}
      <span className="text-soft">{name.slice(arrow)}</span>
    </span>
  );
}

/** Square, beside the round ones of labels. */
function MechanismChip({ name }: { name: string }) {
  return (
    <span
      className="min-w-8 max-w-40 shrink truncate rounded-[2px] border border-line bg-sunken px-1 text-2xs leading-4 text-soft"
      title={strings.mechanisms.memberOf(name)}
    >
      {name}
    </span>
  );
}

export function LabelChip({ text }: { text: string }) {
  return (
    <span className="min-w-8 max-w-40 shrink truncate rounded-full border border-strong bg-paper px-1.5 text-2xs leading-4" title={text}>
      {text}
    </span>
  );
}

function Number({ text, soft = false }: { text: string; soft?: boolean }) {
  return (
    <span role="gridcell" className={`text-right font-mono text-xs ${soft ? 'text-soft' : ''}`}>
      {text}
    </span>
  );
}

interface FoldRowProps extends RowPlace {
  row: Extract<TrieRow, { kind: 'fold' }>;
  /** null: nothing opens it */
  onOpen: ((parent: string) => void) | null;
}

export const FoldRow = memo(function FoldRow({ row, index, top, height, active, scale, metric, onOpen }: FoldRowProps) {
  const count = formatCount(row.count);
  return (
    // oxlint-disable-next-line jsx-a11y/click-events-have-key-events -- the grid has the keys
    <div
      role="row"
      id={`row-${index}`}
      aria-rowindex={index + 2}
      aria-level={row.level}
      aria-posinset={row.place}
      aria-setsize={row.siblings}
      {...(onOpen ? { 'aria-expanded': false } : {})}
      aria-selected={active}
      data-fold={row.parent.name}
      onClick={() => onOpen?.(row.parent.name)}
      style={{ top, height }}
      className={`${ROW} text-soft ${onOpen ? 'cursor-pointer hover:bg-hover' : 'italic'} ${active ? `bg-chosen ${FOCUSED}` : ''}`}
    >
      <span role="gridcell" className="flex min-w-0 items-center gap-1 text-xs" style={{ paddingLeft: Math.min(row.level - 1, 12) * 14 }}>
        <span aria-hidden="true" className="flex w-5 shrink-0 justify-center text-2xs">
          {onOpen ? '▸' : null}
        </span>
        {row.why === 'small' ? strings.unravel.smaller(count) : strings.unravel.filtered(count)}
      </span>
      <span role="gridcell" className="hidden sm:block">
        <SignedBar value={row.value} scale={scale} />
      </span>
      <Number text={formatSigned(row.value)} />
      <Number text={formatShare(row.value, metric)} soft />
    </div>
  );
});

interface TotalRowsProps {
  partition: Partition;
  scale: number;
  metric: number;
  /** of the first one, from 1 */
  index: number;
}

/** What the leaves add up to, always in sight: complete paths, and the remainder as a sum of its own [M12]. */
export function TotalRows({ partition: { complete, unopened }, scale, metric, index }: TotalRowsProps) {
  const totals = [
    { key: 'complete', text: strings.unravel.complete(formatCount(complete.count)), value: complete.value },
    { key: 'remainder', text: strings.unravel.remainder(formatCount(unopened.count)), value: unopened.value },
  ];
  return (
    <div role="rowgroup" className="sticky bottom-0 z-10 border-t border-strong bg-ground">
      {totals.map(({ key, text, value }, offset) => (
        <div
          key={key}
          role="row"
          aria-rowindex={index + offset}
          data-total={key}
          data-exact={value}
          className={`grid h-6 ${COLUMNS} items-center gap-x-2 px-3 text-xs`}
        >
          <span role="gridcell" className="min-w-0 truncate">
            {text}
          </span>
          <span role="gridcell" className="hidden sm:block">
            <SignedBar value={value} scale={scale} />
          </span>
          <Number text={formatSigned(value)} />
          <Number text={formatShare(value, metric)} soft />
        </div>
      ))}
    </div>
  );
}
