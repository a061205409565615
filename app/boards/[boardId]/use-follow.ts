'use client';
import { useEffect, useRef, useState } from 'react';
import { peopleOf, type Peer, type User } from './use-presence.ts';
import { placeOf, type Place } from './use-selection.ts';

export interface Follow {
  /** whose place this window shows */
  leader: User | null;
  /** somebody else's id; the same again, or null, ends it */
  toggle: (personId: string | null) => void;
}

/** Shows what somebody else looks at, until one looks at something else by oneself or they leave. */
export function useFollow(
  peers: readonly Peer[],
  place: Place,
  setPlace: (change: (before: Place) => Place) => void,
  say: (leaver: string) => void,
): Follow {
  const [leader, setLeader] = useState<User | null>(null);
  const shown = useRef<Place | null>(null);
  const peer = leader ? (peopleOf(peers).find(({ user, self }) => user.id === leader.id && !self) ?? null) : null;
  const wanted = peer?.place ?? null;

  useEffect(() => {
    if (wanted === null) return;
    setPlace((before) => {
      // An analysis behind the # is not told, so that one's own stays.
      const { analysis, ...theirs } = placeOf({ search: wanted, hash: '' });
      shown.current = { ...theirs, analysis: theirs.view === 'analyses' ? analysis : before.analysis };
      return shown.current;
    });
  }, [wanted, setPlace]);

  useEffect(() => {
    if (shown.current === null || shown.current === place) return;
    shown.current = null;
    setLeader(null);
  }, [place]);

  useEffect(() => {
    if (leader === null || peer !== null) return;
    setLeader(null);
    say(leader.name);
  }, [leader, peer, say]);

  const toggle = (personId: string | null) => {
    shown.current = null;
    const next = personId === null || personId === leader?.id ? null : peers.find(({ user, self }) => user.id === personId && !self);
    setLeader(next?.user ?? null);
  };
  return { leader, toggle };
}
