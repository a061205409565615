'use client';
import { groupAnchor } from '@/lib/board/anchors.ts';
import { Section } from '@/app/ui/section.tsx';
import { strings } from '@/app/ui/strings.ts';
import { useBoard } from './board-context.tsx';
import { useLit } from './links.ts';
import { useMechanisms } from './use-mechanisms.ts';

/** All mechanisms of the board, to choose one. */
export function MechanismList() {
  const { list } = useMechanisms();
  return (
    <Section title={strings.mechanisms.title}>
      {list.length === 0 ? (
        <p className="text-xs text-soft">{strings.mechanisms.none}</p>
      ) : (
        <ul className="grid">
          {list.map((group) => (
            <Row key={group.id} id={group.id} name={group.name} count={group.members.length} />
          ))}
        </ul>
      )}
    </Section>
  );
}

function Row({ id, name, count }: { id: string; name: string; count: number }) {
  const { select, links } = useBoard();
  const anchor = groupAnchor(id);
  const lit = useLit(links, anchor);
  return (
    <li>
      <button
        type="button"
        data-mechanism={name}
        onClick={() => select(anchor)}
        onPointerEnter={() => links.hover(anchor)}
        onPointerLeave={() => links.hover(null)}
        className={`flex w-full items-baseline justify-between gap-2 rounded-[3px] px-1.5 py-1 text-left text-sm hover:bg-hover ${lit.own ? 'bg-hover' : ''}`}
      >
        <span className="min-w-0 truncate">{name}</span>
        <span className="shrink-0 text-xs text-soft">{strings.mechanisms.memberCount(count)}</span>
      </button>
    </li>
  );
}
