'use client';
import { strings } from '@/app/ui/strings.ts';
import { useBoard } from './board-context.tsx';
import { useLit } from './links.ts';

/** The name of a path, edge or node in what somebody wrote: lit wherever it is shown, selected by a press. */
export function AnchorName({ name }: { name: string }) {
  const { select, links } = useBoard();
  const lit = useLit(links, name);
  return (
    <button
      type="button"
      onClick={() => select(name)}
      onPointerEnter={() => links.hover(name)}
      onPointerLeave={() => links.hover(null)}
      onFocus={() => links.hover(name)}
      onBlur={() => links.hover(null)}
      title={strings.thread.show(name)}
      className={`name rounded-[2px] px-1 text-left underline decoration-dotted underline-offset-2 hover:bg-chosen ${lit.own ? 'bg-chosen' : 'bg-sunken'}`}
    >
      {name}
    </button>
  );
}
