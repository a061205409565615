'use client';
import { readGroups, readLabels } from '@/lib/board/board-doc.ts';
import { groupAnchor, isAnchor, isModelAnchor } from '@/lib/board/anchors.ts';
import { PALETTE_KEYS, type Command } from '@/app/ui/commands.ts';
import { colours, pages } from '@/app/ui/places.ts';
import { strings } from '@/app/ui/strings.ts';
import { useBoard } from './board-context.tsx';
import type { Follow } from './use-follow.ts';
import { peopleOf, type Peer } from './use-presence.ts';
import { BOARD_VIEWS, type BoardView } from './use-selection.ts';

/** Sheets and dialogs of the board; one is open at a time. */
export type Sheet = 'help' | 'palette' | 'device' | 'files' | 'sessions' | 'history' | 'share' | 'publish';

interface CommandOptions {
  selection: string | null;
  peers: readonly Peer[];
  follow: Follow;
  onView: (view: BoardView) => void;
  onSheet: (sheet: Sheet) => void;
  onLabel: () => void;
  onComment: () => void;
  onMechanism: () => void;
}

const words = strings.commands;
const { groups } = words;

/** What can be done on a board now: one list for the palette, the help sheet and the keys. */
export function useBoardCommands(options: CommandOptions): Command[] {
  const { session, role, may } = useBoard();
  const { selection, peers, follow, onView, onSheet } = options;
  const views = BOARD_VIEWS.map((view, index) => ({
    id: `view:${view}`,
    title: words.show(strings.views[view]),
    group: groups.view,
    keys: String(index + 1),
    run: () => onView(view),
  }));
  const sheet = (name: Sheet, title: string, keys?: string): Command => ({
    id: `sheet:${name}`,
    title,
    group: groups.board,
    ...(keys ? { keys } : {}),
    run: () => onSheet(name),
  });
  const edits: Command[] = [
    { id: 'undo', title: words.undo, group: groups.edit, keys: 'mod+z', run: () => session.undo.undo() },
    { id: 'redo', title: words.redo, group: groups.edit, keys: 'mod+shift+z', also: ['mod+y'], run: () => session.undo.redo() },
  ];
  const others = peopleOf(peers).filter(({ self }) => !self);
  return [
    ...(selection === null ? [] : onSelection(selection, options, may('board.edit'), may('board.comment'))),
    ...views,
    ...(may('board.edit') ? edits : []),
    ...(role === null
      ? []
      : [
          sheet('files', strings.files.title),
          sheet('sessions', strings.sessions.title),
          sheet('history', words.history),
          sheet('share', words.share),
        ]),
    ...(may('board.publish') ? [sheet('publish', words.publish)] : []),
    ...others.map(({ user }) => ({
      id: `follow:${user.id}`,
      title: follow.leader?.id === user.id ? words.unfollow(user.name) : words.follow(user.name),
      group: groups.people,
      run: () => follow.toggle(user.id),
    })),
    sheet('device', strings.device.title),
    { id: 'link', title: words.copyLink, group: groups.page, run: () => void navigator.clipboard.writeText(location.href) },
    sheet('help', words.help, '?'),
    sheet('palette', words.palette, PALETTE_KEYS),
    ...colours(),
    ...pages(),
  ];
}

function onSelection(
  selection: string,
  { onLabel, onComment, onMechanism }: CommandOptions,
  mayLabel: boolean,
  mayComment: boolean,
): Command[] {
  const group = `${groups.selection}: ${selection}`;
  return [
    ...(mayLabel ? [{ id: 'label', title: words.label, group, keys: 'l', run: onLabel }] : []),
    ...(mayLabel && isModelAnchor(selection)
      ? [{ id: 'mechanism', title: strings.mechanisms.choose, group, keys: 'g', run: onMechanism }]
      : []),
    ...(mayComment ? [{ id: 'comment', title: words.comment, group, keys: 'c', run: onComment }] : []),
    { id: 'copy-name', title: words.copyName, group, run: () => void navigator.clipboard.writeText(selection) },
  ];
}

/** What people have named on the board; read when the palette opens. */
export function useNamed(): () => Command[] {
  const { session, select } = useBoard();
  return () => [
    ...readGroups(session.boardDoc).records.map(({ id, name }) => ({
      id: groupAnchor(id),
      title: name,
      group: groups.mechanisms,
      run: () => select(groupAnchor(id)),
    })),
    ...readLabels(session.boardDoc).records.map(({ id, text, anchor }) => ({
      id: `label:${id}`,
      title: `${text} · ${anchor}`,
      group: groups.labels,
      run: () => select(anchor),
    })),
  ];
}

/** A path, suffix, edge, node or token that the words name. */
export function useGoTo(): (typed: string) => Command[] {
  const { select } = useBoard();
  return (typed) => {
    const name = typed.replaceAll(/\s+/g, '').replaceAll(/[→⟶]/g, '->');
    if (!isAnchor(name) || /^(claim|run|group):/.test(name)) return [];
    return [{ id: `go:${name}`, title: words.goTo(name), group: groups.go, run: () => select(name) }];
  };
}
