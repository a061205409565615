'use client';
import { useEffect, useState } from 'react';
import type { Awareness } from 'y-protocols/awareness';
import type { Presence } from '@/lib/wire.ts';

export type User = Presence['user'];

export interface Peer extends Presence {
  clientId: number;
  self: boolean;
}

/** Everyone on the board. The server signs each with a name, except to oneself. */
export function usePresence(awareness: Awareness, self: User): Peer[] {
  const [peers, setPeers] = useState<Peer[]>([]);
  useEffect(() => {
    const read = () => setPeers(peersOf(awareness, self));
    read();
    awareness.on('change', read);
    return () => awareness.off('change', read);
  }, [awareness, self]);
  return peers;
}

function peersOf(awareness: Awareness, self: User): Peer[] {
  const peers: Peer[] = [];
  for (const [clientId, state] of awareness.getStates()) {
    const { user, selection = null, hover = null, place = null } = state as Partial<Presence>;
    if (clientId === awareness.clientID) peers.push({ clientId, user: self, selection, hover, place, self: true });
    else if (user) peers.push({ clientId, user, selection, hover, place, self: false });
  }
  return peers;
}

/** One entry a person, whatever the number of their windows. */
export function peopleOf(peers: readonly Peer[]): Peer[] {
  const people = new Map<string, Peer>();
  for (const peer of peers) {
    if (!people.has(peer.user.id) || peer.self) people.set(peer.user.id, peer);
  }
  return [...people.values()];
}

/** Who else looks at which path. */
export function lookersOf(peers: readonly Peer[]): Map<string, Peer[]> {
  const lookers = new Map<string, Peer[]>();
  for (const peer of peers) {
    if (peer.self || peer.selection === null) continue;
    lookers.set(peer.selection, [...(lookers.get(peer.selection) ?? []), peer]);
  }
  return lookers;
}
