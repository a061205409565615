'use client';
import type { CSSProperties } from 'react';
import { isModelAnchor } from '@/lib/board/anchors.ts';
import { strings } from '@/app/ui/strings.ts';
import { useBoard } from './board-context.tsx';
import { outlineOf, useLit } from './links.ts';

export interface CellText {
  key: string;
  text: string;
  /** at full precision */
  exact: string;
  isNumber: boolean;
}

interface NumberRowProps {
  id: string;
  index: number;
  /** where it lies, and the widths of its columns */
  place: CSSProperties;
  active: boolean;
  cells: readonly CellText[];
  onSelect: (() => void) | null;
}

const FOCUSED =
  'group-focus-visible:outline group-focus-visible:outline-2 group-focus-visible:-outline-offset-2 group-focus-visible:outline-ink';

/** The name selects what it names; a click on a number copies it at full precision. */
export function NumberRow({ id, index, place, active, cells, onSelect }: NumberRowProps) {
  const [name, ...others] = cells;
  const { links } = useBoard();
  const lit = useLit(links, name!.exact);
  const outline = outlineOf(lit.others);
  return (
    <div
      role="row"
      id={id}
      aria-rowindex={index + 2}
      data-term={name!.exact}
      data-lit={lit.own || undefined}
      onPointerEnter={() => isModelAnchor(name!.exact) && links.hover(name!.exact)}
      onPointerLeave={() => links.hover(null)}
      className={`absolute inset-x-0 grid items-center gap-x-2 px-2 hover:bg-hover ${active ? `bg-chosen ${FOCUSED}` : lit.own ? 'bg-hover' : ''}`}
      style={outline ? { ...place, boxShadow: `inset 3px 0 0 ${outline}` } : place}
    >
      <span role="rowheader" className="min-w-0 truncate font-mono text-xs" title={name!.exact}>
        {onSelect ? (
          <button
            type="button"
            tabIndex={-1}
            onClick={onSelect}
            className="max-w-full truncate rounded-[2px] text-left underline decoration-dotted underline-offset-2 hover:bg-chosen"
          >
            {name!.text}
          </button>
        ) : (
          name!.text
        )}
      </span>
      {others.map((cell) => (
        <ValueCell key={cell.key} cell={cell} />
      ))}
    </div>
  );
}

function ValueCell({ cell: { key, text, exact, isNumber } }: { cell: CellText }) {
  if (!isNumber || exact === '') {
    return (
      <span
        role="gridcell"
        data-column={key}
        className={`truncate font-mono text-xs ${isNumber ? 'text-right text-soft' : ''}`}
        title={exact}
      >
        {text}
      </span>
    );
  }
  return (
    <span role="gridcell" data-column={key} data-exact={exact} className="text-right">
      <button
        type="button"
        tabIndex={-1}
        title={strings.analyses.exact(exact)}
        onClick={() => void navigator.clipboard.writeText(exact).catch(() => undefined)}
        className="rounded-[2px] font-mono text-xs hover:bg-chosen active:bg-ink active:text-paper"
      >
        {text}
      </button>
    </span>
  );
}
