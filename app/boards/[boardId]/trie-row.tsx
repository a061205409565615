'use client';
import type { Label } from '@/lib/board/records.ts';
import { formatCount, formatShare, formatSigned } from '@/lib/figures/numbers.ts';
import type { TrieRow } from '@/lib/trie.ts';
import { Avatar } from '@/app/ui/avatar.tsx';
import { SignedBar } from '@/app/ui/signed-bar.tsx';
import { strings } from '@/app/ui/strings.ts';
import { useBoard } from './board-context.tsx';
import { outlineOf, useLit } from './links.ts';
import type { Peer } from './use-presence.ts';

/** What people have put on a path. */
export interface RowMarks {
  labels: readonly Label[];
  comments: number;
  lookers: readonly Peer[];
}

export interface RowFrame {
  id: string;
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

const ROW = `absolute inset-x-0 grid ${COLUMNS} items-center gap-x-2 px-3 text-sm`;

interface PathRowProps {
  row: Extract<TrieRow, { kind: 'path' }>;
  frame: RowFrame;
  marks: RowMarks;
  selected: boolean;
  pending: boolean;
  onSelect: () => void;
  onToggle: () => void;
}

export function PathRow({ row, frame, marks, selected, pending, onSelect, onToggle }: PathRowProps) {
  const { node } = row;
  const { links } = useBoard();
  const lit = useLit(links, node.name);
  const edge = marks.lookers[0]?.user.color ?? outlineOf(lit.others);
  return (
    // oxlint-disable-next-line jsx-a11y/click-events-have-key-events -- the grid has the keys
    <div
      role="row"
      id={frame.id}
      aria-rowindex={frame.index + 2}
      aria-level={row.level}
      aria-posinset={row.place}
      aria-setsize={row.siblings}
      aria-selected={selected}
      aria-busy={pending || undefined}
      {...(node.open ? { 'aria-expanded': row.expanded } : {})}
      data-path={node.name}
      onClick={onSelect}
      onDoubleClick={onToggle}
      onPointerEnter={() => links.hover(node.name)}
      onPointerLeave={() => links.hover(null)}
      data-lit={lit.own || undefined}
      style={{ top: frame.top, height: frame.height, ...(edge ? { boxShadow: `inset 3px 0 0 ${edge}` } : {}) }}
      className={`${ROW} cursor-default ${selected ? 'bg-chosen' : lit.own ? 'bg-hover' : ''} ${frame.active ? FOCUSED : ''}`}
    >
      <span role="gridcell" className="flex min-w-0 items-center gap-1" style={{ paddingLeft: Math.min(row.level - 1, 12) * 14 }}>
        <Disclosure open={node.open} expanded={row.expanded} pending={pending} onToggle={onToggle} />
        <PathName name={node.name} />
        {marks.labels.map((label) => (
          <LabelChip key={label.id} text={label.text} />
        ))}
      </span>
      <span role="gridcell" className="hidden sm:block">
        <SignedBar value={node.value} scale={frame.scale} />
      </span>
      <Number text={formatSigned(node.value)} />
      <Number text={formatShare(node.value, frame.metric)} soft />
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

interface FoldRowProps {
  row: Extract<TrieRow, { kind: 'fold' }>;
  frame: RowFrame;
  onOpen: () => void;
}

export function FoldRow({ row, frame, onOpen }: FoldRowProps) {
  return (
    // oxlint-disable-next-line jsx-a11y/click-events-have-key-events -- the grid has the keys
    <div
      role="row"
      id={frame.id}
      aria-rowindex={frame.index + 2}
      aria-level={row.level}
      aria-posinset={row.place}
      aria-setsize={row.siblings}
      aria-expanded={false}
      aria-selected={frame.active}
      data-fold={row.parent}
      onClick={onOpen}
      style={{ top: frame.top, height: frame.height }}
      className={`${ROW} cursor-pointer text-soft hover:bg-hover ${frame.active ? `bg-chosen ${FOCUSED}` : ''}`}
    >
      <span role="gridcell" className="flex min-w-0 items-center gap-1 text-xs" style={{ paddingLeft: Math.min(row.level - 1, 12) * 14 }}>
        <span aria-hidden="true" className="flex w-5 shrink-0 justify-center text-2xs">
          ▸
        </span>
        {strings.unravel.smaller(formatCount(row.count))}
      </span>
      <span role="gridcell" className="hidden sm:block">
        <SignedBar value={row.value} scale={frame.scale} />
      </span>
      <Number text={formatSigned(row.value)} />
      <Number text={formatShare(row.value, frame.metric)} soft />
    </div>
  );
}
