'use client';
import { addLabel, readLabels } from '@/lib/board/board-doc.ts';
import type { LabelledItem } from '@/lib/wire.ts';
import { formatSigned } from '@/lib/figures/numbers.ts';
import { useBoard, useDiscussion } from '@/app/boards/[boardId]/board-context.tsx';
import { ThreadPanel } from '@/app/boards/[boardId]/thread-panel.tsx';
import { useLive } from '@/app/boards/[boardId]/use-live.ts';
import { Button } from '@/app/ui/button.tsx';
import { strings } from '@/app/ui/strings.ts';
import { percent } from './agreement-tables.tsx';
import { boardAddress } from './board-address.ts';

interface ResultItemProps {
  one: LabelledItem;
  /** the part of pairs of its blind labels that agree; null with fewer than two */
  agreement: number | null;
  open: boolean;
  onToggle: () => void;
}

/** What was said of an item, by label; its thread below, and each label to be adopted for the board. */
export function ResultItem({ one, agreement, open, onToggle }: ResultItemProps) {
  const words = strings.sessions.results;
  const { boardId, session } = useBoard();
  const { threads, comments } = useDiscussion(session);
  const here = new Set(threads.filter(({ anchor }) => anchor === one.anchor).map(({ id }) => id));
  const said = comments.filter(({ threadId }) => here.has(threadId)).length;
  const labels = [...new Set(one.labels.map(({ label }) => label))];
  const isDisputed = agreement !== null && agreement < 1;
  return (
    <li data-result={one.item} data-agreement={agreement ?? undefined} className="border-b border-line bg-paper last:border-b-0">
      <div className="grid gap-x-4 gap-y-1 px-2 py-2 sm:grid-cols-[2rem_minmax(0,1fr)_auto]">
        <span className="text-right font-mono text-2xs leading-5 text-soft max-sm:hidden">{one.item}</span>
        <div className="min-w-0">
          <p className="flex flex-wrap items-baseline gap-x-3">
            <a href={boardAddress(boardId, one.anchor)} className="name text-sm font-medium hover:underline">
              {one.title ?? one.anchor}
            </a>
            {one.value === null ? null : <span className="font-mono text-xs text-soft">{formatSigned(one.value)}</span>}
          </p>
          {labels.length === 0 ? <p className="text-xs text-soft">{words.unlabelled}</p> : null}
          <ul className="mt-1 grid gap-1 text-xs">
            {labels.map((label) => (
              <LabelRow key={label} label={label} one={one} />
            ))}
          </ul>
        </div>
        <div className="flex flex-wrap items-baseline gap-x-3 sm:flex-col sm:items-end">
          <span className={`text-xs ${isDisputed ? 'font-semibold' : 'text-soft'}`}>
            {agreement === null ? words.noAgreement : words.agreementOf(percent(agreement))}
          </span>
          <Button tone="quiet" small aria-expanded={open} onClick={onToggle}>
            {open ? words.threadHide : said > 0 ? `${words.thread} (${words.comments(said)})` : words.thread}
          </Button>
        </div>
      </div>
      {open ? (
        <div className="max-w-2xl bg-ground sm:ml-10" data-testid="item-thread">
          <ThreadPanel anchor={one.anchor} title={strings.thread.title} />
        </div>
      ) : null}
    </li>
  );
}

function LabelRow({ label, one }: { label: string; one: LabelledItem }) {
  const words = strings.sessions.results;
  const { session, may } = useBoard();
  const shared = useLive(session.boardDoc, readLabels).records;
  const isShared = shared.some((other) => other.anchor === one.anchor && other.text === label);
  return (
    <li data-said={label} className="flex flex-wrap items-baseline gap-x-2 gap-y-0.5">
      <span className="rounded-[3px] border border-strong px-1 font-medium">{label}</span>
      {one.labels
        .filter((given) => given.label === label)
        .map(({ author, blind, unsure, note }) => (
          <span key={author.id} className="text-soft">
            {author.name}
            {unsure ? ` (${words.unsure})` : ''}
            {blind ? '' : ` (${words.after})`}
            {note === '' ? '' : ` “${note}”`}
          </span>
        ))}
      {isShared ? (
        <span className="text-2xs text-soft">{words.adopted}</span>
      ) : may('board.edit') ? (
        <Button
          tone="quiet"
          small
          aria-label={words.adopt(label)}
          className="!py-0"
          onClick={() => addLabel(session.boardDoc, one.anchor, label, Date.now())}
        >
          {words.adoptShort}
        </Button>
      ) : null}
    </li>
  );
}
