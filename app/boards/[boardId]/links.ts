import { useSyncExternalStore } from 'react';
import { withoutPositions } from '@/lib/engine/index.ts';
import { isSame, lights } from '@/lib/graph/lit.ts';
import type { Peer, User } from './use-presence.ts';

/** Nobody's cursor says as much as its last place a moment later. */
const TELL_MS = 120;

/**
 * What is under whose cursor, by anchor: one's own, which every view lights at once, and other people's. It lives outside
 * React's state, so that moving over rows renders those rows alone.
 */
export class Links {
  #own: string | null = null;
  #others: ReadonlyMap<string, readonly User[]> = new Map();
  #pointed: ReadonlyMap<string, readonly User[]> = new Map();
  #listeners = new Set<() => void>();
  #timer: ReturnType<typeof setTimeout> | null = null;

  /** `tell` publishes where one's own cursor is. */
  constructor(private readonly tell: (anchor: string | null) => void) {}

  get hovered(): string | null {
    return this.#own;
  }

  /** Who else has the cursor on what. */
  get others(): ReadonlyMap<string, readonly User[]> {
    return this.#others;
  }

  /** What other people have the cursor on, or have selected. */
  get pointed(): ReadonlyMap<string, readonly User[]> {
    return this.#pointed;
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  hover = (anchor: string | null): void => {
    if (anchor === this.#own) return;
    this.#own = anchor;
    this.#changed();
    if (this.#timer !== null) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.tell(this.#own);
    }, TELL_MS);
  };

  /** From presence. */
  hear(peers: readonly Peer[]): void {
    const away = peers.filter(({ self }) => !self);
    const others = usersBy(away, ({ hover }) => [hover]);
    const pointed = usersBy(away, ({ hover, selection }) => [...new Set([hover, selection])]);
    if (pointed.size === 0 && this.#pointed.size === 0) return;
    this.#others = others;
    this.#pointed = pointed;
    this.#changed();
  }

  /** What is known about what is under the cursor has changed. */
  refresh(): void {
    this.#changed();
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}

function usersBy(peers: readonly Peer[], anchorsOf: (peer: Peer) => (string | null | undefined)[]): Map<string, readonly User[]> {
  const users = new Map<string, readonly User[]>();
  for (const peer of peers) {
    for (const anchor of anchorsOf(peer)) if (anchor) users.set(anchor, [...(users.get(anchor) ?? []), peer.user]);
  }
  return users;
}

/** What is under one's own cursor in whatever view. */
export function useHovered(links: Links): string | null {
  const read = () => links.hovered;
  return useSyncExternalStore(links.subscribe, read, () => null);
}

const NOBODY: readonly User[] = [];

/** Whether this is lit by one's own cursor, and by whose else; renders when that changes alone. See {@link lights}. */
export function useLit(links: Links, anchor: string): { own: boolean; others: readonly User[] } {
  const own = useSyncExternalStore(
    links.subscribe,
    () => links.hovered !== null && isSame(links.hovered, anchor),
    () => false,
  );
  const others = useSyncExternalStore(
    links.subscribe,
    () => othersOn(links, anchor),
    () => NOBODY,
  );
  return { own, others };
}

/** Whose else cursor lights this; the one who points at it itself, where there is one. */
function othersOn({ others }: Links, anchor: string): readonly User[] {
  return others.get(anchor) ?? [...others].find(([hovered]) => lights(hovered, anchor))?.[1] ?? NOBODY;
}

/** Who else points at or has selected what, for a view that draws many things at once. */
export function useOthers(links: Links): ReadonlyMap<string, readonly User[]> {
  const read = () => links.pointed;
  return useSyncExternalStore(links.subscribe, read, read);
}

/** The colour of whoever else has the cursor there, for an outline; null for nobody. */
export function outlineOf(others: readonly User[]): string | null {
  return others[0]?.color ?? null;
}

/** A part of a path by name, but not the whole path. */
export function liesOn(part: string, path: string): boolean {
  return part.length < path.length && part !== 'logits' && `->${path}->`.includes(`->${part}->`);
}

export interface RowLight {
  own: boolean;
  /** what is under one's own cursor lies on the path: one of its nodes or edges, or a suffix of it */
  onPath: boolean;
  /** while a token is under the cursor: its |value| in percent of Σ|by token|; else 0 */
  tokenShare: number;
  /** of whoever else has the cursor there; empty for nobody */
  outline: string;
}

/** All that lights a row of the trie, by one subscription: there are some sixty of them. */
export function useRowLight(links: Links, path: string, byToken: () => readonly number[] | null): RowLight {
  const read = () => {
    const { hovered } = links;
    const own = hovered === path;
    const onPath = hovered !== null && liesOn(withoutPositions(hovered), path);
    return `${own ? 1 : 0}${onPath ? 1 : 0} ${shareOfToken(hovered, byToken())} ${outlineOf(othersOn(links, path)) ?? ''}`;
  };
  const [signs = '', share = '', outline = ''] = useSyncExternalStore(links.subscribe, read, () => '').split(' ');
  return { own: signs[0] === '1', onPath: signs[1] === '1', tokenShare: Number(share), outline };
}

const TOKEN = /^token:(\d+)$/;

export function shareOfToken(hovered: string | null, byToken: readonly number[] | null): number {
  const position = byToken === null ? null : TOKEN.exec(hovered ?? '');
  if (position === null) return 0;
  const all = byToken!.reduce((sum, value) => sum + Math.abs(value), 0);
  return all === 0 ? 0 : Math.round((100 * Math.abs(byToken![Number(position[1])] ?? 0)) / all);
}
