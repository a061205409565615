'use client';
import { useMemo, useState } from 'react';
import type { LabelledItem, SessionDetail, SessionResults } from '@/lib/wire.ts';
import { useBoard } from '@/app/boards/[boardId]/board-context.tsx';
import { useLive } from '@/app/boards/[boardId]/use-live.ts';
import { readAnnotations } from '@/lib/board/discussion-doc.ts';
import { Button } from '@/app/ui/button.tsx';
import { Fault } from '@/app/ui/field.tsx';
import { strings } from '@/app/ui/strings.ts';
import { useLoaded } from '@/app/ui/use-loaded.ts';
import { AgreementTables } from './agreement-tables.tsx';
import { ResultItem } from './result-item.tsx';

/** What came of the session, from the reveal on. */
export function ResultsView({ detail }: { detail: SessionDetail }) {
  const words = strings.sessions.results;
  const revealed = detail.revealedAt !== null;
  const loaded = useLoaded<SessionResults>(revealed ? `/api/sessions/${detail.id}/results` : null);
  const items = useItems(detail.id, loaded.value);

  if (!revealed) {
    return (
      <p role="status" className="mx-auto max-w-3xl px-3 py-6 text-sm text-soft">
        {detail.state === 'closed' ? words.never : words.waiting}
      </p>
    );
  }
  if (loaded.error) {
    return (
      <div className="mx-auto max-w-3xl px-3 py-6">
        <Fault>{loaded.error}</Fault>
        <Button small className="mt-2" onClick={loaded.reload}>
          {strings.common.tryAgain}
        </Button>
      </div>
    );
  }
  if (!loaded.value) return <p className="mx-auto max-w-3xl px-3 py-6 text-sm text-soft">{strings.common.working}</p>;
  return (
    <div className="mx-auto grid w-full max-w-6xl grid-cols-[minmax(0,1fr)] gap-8 px-3 py-4">
      <AgreementTables results={loaded.value} detail={detail} late={items.reduce((sum, one) => sum + countLate(one), 0)} />
      <Downloads id={detail.id} />
      <Items items={items} agreement={loaded.value.agreement} />
    </div>
  );
}

/** Labels given after the reveal arrive through the discussion, while one looks. */
function useItems(sessionId: string, results: SessionResults | null): LabelledItem[] {
  const { session } = useBoard();
  const { records } = useLive(session.discussionDoc, readAnnotations);
  return useMemo(() => {
    const live = new Map(records.filter((record) => record.sessionId === sessionId).map((record) => [record.item, record.labels]));
    return (results?.items ?? []).map((one) => ({ ...one, labels: live.get(one.item) ?? one.labels }));
  }, [records, sessionId, results]);
}

function countLate({ labels }: LabelledItem): number {
  return labels.filter(({ blind }) => !blind).length;
}

function Items({ items, agreement }: { items: readonly LabelledItem[]; agreement: SessionResults['agreement'] }) {
  const words = strings.sessions.results;
  const [open, setOpen] = useState<number | null>(null);
  const agreed = new Map(agreement.byItem.map((one) => [one.item, one.agreement]));
  const of = ({ item }: LabelledItem) => agreed.get(item) ?? null;
  // What cannot disagree comes last.
  const ordered = [...items].sort((a, b) => (of(a) ?? 2) - (of(b) ?? 2) || a.item - b.item);
  return (
    <section aria-labelledby="items">
      <h2 id="items" className="mb-2 text-sm font-semibold">
        {words.items}
      </h2>
      <ol className="grid gap-px border-y border-line">
        {ordered.map((one) => (
          <ResultItem
            key={one.item}
            one={one}
            agreement={of(one)}
            open={open === one.item}
            onToggle={() => setOpen(open === one.item ? null : one.item)}
          />
        ))}
      </ol>
    </section>
  );
}

const FORMS = ['long', 'matrix', 'json'] as const;

function Downloads({ id }: { id: string }) {
  const words = strings.sessions.results;
  return (
    <section aria-label={words.download}>
      <ul className="flex flex-wrap items-baseline gap-x-4 gap-y-1 text-xs">
        <li className="font-semibold">{words.download}</li>
        {FORMS.map((form) => (
          <li key={form}>
            <a href={`/api/sessions/${id}/export?as=${form}`} download className="underline underline-offset-2">
              {words[form]}
            </a>
          </li>
        ))}
      </ul>
      <p className="mt-1 text-xs text-soft">{words.matrixHint}</p>
    </section>
  );
}
