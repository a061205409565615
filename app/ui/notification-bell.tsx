'use client';
import { useCallback, useEffect, useId, useRef, useState } from 'react';
import type { Notification, Notifications } from '@/lib/wire.ts';
import { formatTime } from '@/lib/figures/numbers.ts';
import { Button } from './button.tsx';
import { Fault } from './field.tsx';
import { lineOf, request } from './request.ts';
import { strings } from './strings.ts';

interface NotificationBellProps {
  /** calls back when there may be something new; where there is no such thing, it is asked for now and then */
  onNews?: (listener: () => void) => () => void;
  /** opens what is on the board that is open; false where it is elsewhere */
  onOpen?: (notification: Notification) => boolean;
}

const POLL_MS = 60_000;
const URL_OF_MINE = '/api/notifications';

/** What others did that concerns this person: how much of it is new, and the list. */
export function NotificationBell({ onNews, onOpen }: NotificationBellProps) {
  const { state, error, read } = useNotifications(onNews);
  const [open, setOpen] = useState(false);
  const place = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const id = useId();
  const words = strings.notifications;
  const unread = state?.unread ?? 0;

  useEffect(() => {
    if (!open) return;
    const onPointerDown = (event: PointerEvent) => {
      if (event.target instanceof Node && !place.current?.contains(event.target)) setOpen(false);
    };
    window.addEventListener('pointerdown', onPointerDown);
    return () => window.removeEventListener('pointerdown', onPointerDown);
  }, [open]);

  return (
    // oxlint-disable-next-line jsx-a11y/no-static-element-interactions -- Escape and leaving it, in any of its parts
    <div
      ref={place}
      className="relative"
      onBlur={(event) => event.relatedTarget !== null && !event.currentTarget.contains(event.relatedTarget) && setOpen(false)}
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || !open) return;
        event.stopPropagation();
        setOpen(false);
        button.current?.focus();
      }}
    >
      <Button
        ref={button}
        tone="quiet"
        small
        data-unread={unread}
        aria-expanded={open}
        aria-controls={open ? id : undefined}
        aria-label={words.button(unread)}
        title={words.button(unread)}
        onClick={() => setOpen(!open)}
      >
        <Bell />
        {unread > 0 ? <b className="rounded-full bg-ink px-1.5 font-mono text-2xs text-paper">{unread > 99 ? '99+' : unread}</b> : null}
      </Button>
      <span role="status" className="sr-only">
        {unread > 0 ? words.button(unread) : ''}
      </span>
      {open ? (
        <section
          id={id}
          aria-label={words.title}
          className="absolute top-full right-0 z-40 mt-1 w-80 max-w-[calc(100vw-1.5rem)] rounded-[3px] border border-strong bg-paper text-ink shadow-lg max-sm:fixed max-sm:inset-x-3 max-sm:top-14 max-sm:w-auto"
        >
          <div className="flex items-center justify-between gap-2 border-b border-line px-3 py-1.5">
            <h2 className="text-xs font-semibold text-soft">{words.title}</h2>
            {unread > 0 ? (
              <Button tone="quiet" small onClick={() => read('all')}>
                {words.readAll}
              </Button>
            ) : null}
          </div>
          {error ? (
            <div className="px-3 pb-2">
              <Fault>{error}</Fault>
            </div>
          ) : null}
          {state?.list.length === 0 ? <p className="px-3 py-2 text-sm text-soft">{words.none}</p> : null}
          <ul className="max-h-[min(24rem,70dvh)] overflow-y-auto">
            {state?.list.map((one) => (
              <Item
                key={one.id}
                notification={one}
                onFollow={() => {
                  if (one.readAt === null) read([one.id]);
                  const here = onOpen?.(one) ?? false;
                  if (here) setOpen(false);
                  return here;
                }}
              />
            ))}
          </ul>
        </section>
      ) : null}
    </div>
  );
}

interface ItemProps {
  notification: Notification;
  /** false: it is on another page */
  onFollow: () => boolean;
}

function Item({ notification, onFollow }: ItemProps) {
  const { kind, by, boardTitle, anchor, createdAt, readAt } = notification;
  const isName = anchor !== null && !anchor.includes(':');
  return (
    <li className="border-b border-line last:border-b-0" data-notification={kind} data-new={readAt === null || undefined}>
      <a
        href={addressOf(notification)}
        onClick={(event) => {
          const elsewhere = event.ctrlKey || event.metaKey || event.shiftKey;
          if (onFollow() && !elsewhere) event.preventDefault();
        }}
        className="flex gap-2 px-3 py-1.5 text-sm hover:bg-hover"
      >
        <span aria-hidden="true" className={`mt-1.5 h-1.5 w-1.5 shrink-0 rounded-full ${readAt === null ? 'bg-ink' : ''}`} />
        <span className="min-w-0">
          {readAt === null ? <span className="sr-only">{strings.notifications.fresh}: </span> : null}
          <span className={readAt === null ? 'font-medium' : ''}>{strings.notifications.what[kind](by.name)}</span>
          <span className="block truncate text-xs text-soft">
            {isName ? <span className="name">{anchor} · </span> : null}
            {boardTitle} · <time dateTime={new Date(createdAt).toISOString()}>{formatTime(createdAt)}</time>
          </span>
        </span>
      </a>
    </li>
  );
}

/** Where what is told of can be seen. */
function addressOf({ boardId, kind, anchor, subjectId }: Notification): string {
  const params = new URLSearchParams();
  if (anchor !== null) params.set('select', anchor);
  if (kind === 'mention' || kind === 'reply') params.set('comment', subjectId);
  const search = params.toString();
  return `/boards/${boardId}${search === '' ? '' : `?${search}`}`;
}

function useNotifications(onNews: NotificationBellProps['onNews']) {
  const [state, setState] = useState<Notifications | null>(null);
  const [error, setError] = useState<string | null>(null);

  const load = useCallback(() => {
    request<Notifications>(URL_OF_MINE).then(
      (loaded) => {
        setState(loaded);
        setError(null);
      },
      (cause: unknown) => setError(lineOf(cause)),
    );
  }, []);

  useEffect(() => {
    load();
    const whenSeen = () => document.hidden || load();
    const timer = setInterval(whenSeen, POLL_MS);
    document.addEventListener('visibilitychange', whenSeen);
    const end = onNews?.(load);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', whenSeen);
      end?.();
    };
  }, [load, onNews]);

  const read = useCallback(
    (ids: readonly string[] | 'all') => {
      const now = Date.now();
      setState((before) => before && markedRead(before, ids, now));
      // The page may be left by the same press.
      fetch(URL_OF_MINE, {
        method: 'POST',
        keepalive: true,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ ids }),
      }).then(load, load);
    },
    [load],
  );
  return { state, error, read };
}

function markedRead({ unread, list }: Notifications, ids: readonly string[] | 'all', now: number): Notifications {
  const isMeant = ({ id, readAt }: Notification) => readAt === null && (ids === 'all' || ids.includes(id));
  return {
    unread: ids === 'all' ? 0 : unread - list.filter(isMeant).length,
    list: list.map((one) => (isMeant(one) ? { ...one, readAt: now } : one)),
  };
}

function Bell() {
  return (
    <svg
      aria-hidden="true"
      width="14"
      height="14"
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.4"
      strokeLinejoin="round"
    >
      <path d="M8 1.8a4 4 0 0 0-4 4c0 3.6-1.4 4.9-1.9 5.4h11.8c-.5-.5-1.9-1.8-1.9-5.4a4 4 0 0 0-4-4Z" />
      <path d="M6.5 13.4a1.6 1.6 0 0 0 3 0" strokeLinecap="round" />
    </svg>
  );
}
