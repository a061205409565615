'use client';
import { useEffect, useMemo, useRef, useState } from 'react';
import type { QueueItem, SessionDetail } from '@/lib/wire.ts';
import { Button } from '@/app/ui/button.tsx';
import { strings } from '@/app/ui/strings.ts';
import { ItemCard } from './item-card.tsx';
import { LabelBar } from './label-bar.tsx';
import { lastGiven, nextOpen, shownQueue, type ShownItem } from './label-entries.ts';
import { Meter } from './meter.tsx';
import { OutboxNotice } from './outbox-notice.tsx';
import { QueueList } from './queue-list.tsx';
import type { Draft, LabelOutbox } from './use-label-outbox.ts';

interface QueueViewProps {
  detail: SessionDetail;
  queue: readonly QueueItem[];
  outbox: LabelOutbox;
  revealed: boolean;
  /** keys are for the queue */
  active: boolean;
  onResults: () => void;
}

const NO_DRAFT: Draft = { note: '', unsure: false };

/** One item after the other, by keys alone. */
export function QueueView({ detail, queue, outbox, revealed, active, onResults }: QueueViewProps) {
  const words = strings.sessions.queue;
  const shown = useMemo(() => shownQueue(queue, outbox.entries, !revealed), [queue, outbox.entries, revealed]);
  const [chosen, choose] = useState<number | null>(() => nextOpen(shown, 0));
  const [said, say] = useState('');
  const note = useRef<HTMLTextAreaElement>(null);
  const givenHere = useRef<number[]>([]);
  const open = detail.state === 'open' || detail.state === 'revealed';
  const place = Math.max(
    0,
    shown.findIndex(({ item }) => item === chosen),
  );
  const current = shown[place];
  const draft = current ? (outbox.drafts[current.item] ?? draftOf(current)) : NO_DRAFT;

  const labelAs = (one: ShownItem, label: string, { note: words, unsure }: Draft) => {
    outbox.add({ kind: 'label', id: crypto.randomUUID(), item: one.item, label, unsure, note: words.trim() });
    outbox.write(one.item, null);
    givenHere.current.push(one.item);
  };
  const isFrozen = (one: ShownItem) => revealed && one.mine !== null && one.mine.blind;

  const act = useActs({
    give: (index) => {
      const label = detail.labels[index];
      if (!current || label === undefined || !open || isFrozen(current)) return;
      const wasOpen = current.mine === null;
      labelAs(current, label, draft);
      say(words.saved(current.item, label));
      if (wasOpen) choose(nextOpen(shown, current.item) ?? current.item);
    },
    go: (steps) => choose(shown[Math.max(0, Math.min(shown.length - 1, place + steps))]?.item ?? null),
    undo: () => {
      const last = open ? lastGiven(shown, revealed, givenHere.current) : null;
      if (!last?.mine) return say(words.nothingToUndo);
      outbox.add({ kind: 'undo', id: crypto.randomUUID(), item: last.item, labelId: last.mine.id });
      givenHere.current = givenHere.current.filter((item) => item !== last.item);
      say(words.undone(last.item));
      choose(last.item);
    },
    skip: () => {
      if (!current || !open) return;
      if (current.mine === null) outbox.add({ kind: 'skip', id: crypto.randomUUID(), item: current.item });
      say(words.putOff(current.item));
      choose(nextOpen(shown, current.item) ?? current.item);
    },
    unsure: () => {
      if (!current || !open || isFrozen(current)) return;
      const next = { ...draft, unsure: !draft.unsure };
      if (current.mine) labelAs(current, current.mine.label, next);
      else outbox.write(current.item, next);
    },
    note: () => note.current?.focus(),
  });
  useKeys(active, act);

  if (!current) return <Empty detail={detail} outbox={outbox} />;
  const done = shown.filter(({ mine }) => mine !== null).length;
  return (
    <div className="mx-auto grid w-full max-w-6xl grid-cols-[minmax(0,1fr)] gap-x-6 gap-y-4 px-3 py-4 lg:grid-cols-[minmax(0,1fr)_17rem]">
      <div className="grid min-w-0 content-start gap-3">
        <Progress done={done} all={shown.length} place={place} />
        <Banner detail={detail} revealed={revealed} allDone={done === shown.length} onResults={onResults} />
        <OutboxNotice outbox={outbox} />
        <ItemCard key={current.item} one={current} detail={detail} revealed={revealed} next={shown[place + 1]?.anchor ?? null} />
        <LabelBar
          ref={note}
          labels={detail.labels}
          one={current}
          draft={draft}
          disabled={!open || isFrozen(current)}
          frozen={isFrozen(current)}
          act={act}
          onNote={(text) => outbox.write(current.item, { ...draft, note: text })}
          onNoteDone={() => {
            const written = outbox.drafts[current.item];
            if (current.mine && written && written.note.trim() !== current.mine.note) labelAs(current, current.mine.label, written);
          }}
        />
        <p role="status" className="sr-only">
          {said}
        </p>
      </div>
      <QueueList queue={shown} current={current.item} onChoose={choose} instructions={detail.instructions} />
    </div>
  );
}

export interface Acts {
  /** the label with this place in the set */
  give: (index: number) => void;
  go: (steps: number) => void;
  undo: () => void;
  skip: () => void;
  unsure: () => void;
  note: () => void;
}

/** The acts of the last render under one identity, so that keys are listened to once. */
function useActs(acts: Acts): Acts {
  const latest = useRef(acts);
  useEffect(() => {
    latest.current = acts;
  });
  return useMemo(
    () => ({
      give: (index) => latest.current.give(index),
      go: (steps) => latest.current.go(steps),
      undo: () => latest.current.undo(),
      skip: () => latest.current.skip(),
      unsure: () => latest.current.unsure(),
      note: () => latest.current.note(),
    }),
    [],
  );
}

function useKeys(active: boolean, acts: Acts): void {
  useEffect(() => {
    if (!active) return;
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
      if (event.target instanceof HTMLElement && event.target.closest('input, textarea, select, dialog, [contenteditable]')) return;
      const act = actOf(event.key, acts);
      if (!act) return;
      event.preventDefault();
      act();
    };
    window.addEventListener('keydown', onKeyDown);
    return () => window.removeEventListener('keydown', onKeyDown);
  }, [active, acts]);
}

function actOf(key: string, acts: Acts): (() => void) | null {
  if (/^[1-9]$/.test(key)) return () => acts.give(Number(key) - 1);
  switch (key) {
    case 'j':
    case 'J':
    case 'ArrowDown':
      return () => acts.go(1);
    case 'k':
    case 'K':
    case 'ArrowUp':
      return () => acts.go(-1);
    case 's':
    case 'S':
      return acts.skip;
    case 'u':
    case 'U':
      return acts.undo;
    case 'm':
    case 'M':
      return acts.unsure;
    case 'n':
    case 'N':
      return acts.note;
    default:
      return null;
  }
}

function draftOf({ mine }: ShownItem): Draft {
  return mine ? { note: mine.note, unsure: mine.unsure } : NO_DRAFT;
}

function Empty({ detail, outbox }: { detail: SessionDetail; outbox: LabelOutbox }) {
  const words = strings.sessions.queue;
  return (
    <div className="mx-auto grid max-w-3xl gap-3 px-3 py-6 text-sm text-soft">
      <p>{detail.mine === null ? words.none : words.empty}</p>
      <OutboxNotice outbox={outbox} />
    </div>
  );
}

function Progress({ done, all, place }: { done: number; all: number; place: number }) {
  const words = strings.sessions.queue;
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-1 text-xs text-soft">
      <Meter label={words.progress(done, all)} value={done} max={all} className="w-40" />
      <span data-testid="progress">{words.progress(done, all)}</span>
      <span className="ml-auto" data-testid="place">
        {words.place(place + 1, all)}
      </span>
    </div>
  );
}

interface BannerProps {
  detail: SessionDetail;
  revealed: boolean;
  allDone: boolean;
  onResults: () => void;
}

/** Where the session is, in one sentence. */
function Banner({ detail, revealed, allDone, onResults }: BannerProps) {
  const words = strings.sessions.queue;
  const { state } = detail;
  const text =
    state === 'closed'
      ? words.closed
      : state === 'paused'
        ? words.paused
        : revealed
          ? allDone
            ? words.allDoneRevealed
            : words.late
          : allDone
            ? words.allDone
            : words.blind;
  const calm = state === 'open' && !allDone;
  return (
    <p
      role="status"
      data-testid="banner"
      className={`flex flex-wrap items-baseline gap-x-3 rounded-[3px] px-2 py-1 text-xs ${calm ? 'text-soft' : 'border border-line bg-sunken'}`}
    >
      <span className="min-w-0 flex-1">{text}</span>
      {revealed ? (
        <Button small onClick={onResults}>
          {words.toResults}
        </Button>
      ) : null}
    </p>
  );
}
