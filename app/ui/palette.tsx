'use client';
import { Command as Menu } from 'cmdk';
import { useEffect, useRef, useState } from 'react';
import { groupBy } from '@/lib/engine/collections.ts';
import type { Command } from './commands.ts';
import { printKeys } from './keys.ts';
import { strings } from './strings.ts';

interface PaletteProps {
  commands: readonly Command[];
  /** what is made of the words themselves, such as the path that they name */
  fromWords?: (words: string) => Command[];
  /** what has to be asked for first */
  more?: () => Promise<Command[]>;
  onClose: () => void;
}

const HEADING =
  '[&_[cmdk-group-heading]]:px-2 [&_[cmdk-group-heading]]:pt-2 [&_[cmdk-group-heading]]:pb-0.5 [&_[cmdk-group-heading]]:text-2xs [&_[cmdk-group-heading]]:text-soft';

/** Everything that can be done here, found by typing. */
export function Palette({ commands, fromWords, more, onClose }: PaletteProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [words, setWords] = useState('');
  const { found, state } = useMore(more);
  const made = fromWords?.(words.trim()) ?? [];
  const groups = groupBy([...commands, ...found], ({ group }) => group);

  useEffect(() => {
    dialog.current?.showModal();
    // A dialog would give the focus to the menu around it.
    dialog.current?.querySelector('input')?.focus();
  }, []);

  // Closed first, so that what the command focuses or opens keeps the focus.
  const run = (command: Command) => {
    dialog.current?.close();
    onClose();
    setTimeout(command.run);
  };

  return (
    <dialog
      ref={dialog}
      aria-label={strings.commands.title}
      onClose={onClose}
      className="mt-[12dvh] w-[min(36rem,calc(100vw-2rem))] rounded border border-strong bg-paper p-0 shadow-xl"
    >
      <Menu label={strings.commands.search} loop>
        <Menu.Input
          value={words}
          onValueChange={setWords}
          placeholder={strings.commands.search}
          className="w-full border-b border-line bg-paper px-3 py-2.5 text-sm text-ink outline-none"
        />
        <Menu.List label={strings.commands.title} className="max-h-[min(24rem,60dvh)] overflow-y-auto p-1">
          <Menu.Empty className="p-3 text-sm text-soft">{strings.commands.nothing}</Menu.Empty>
          {made.length > 0 ? (
            <Menu.Group heading={made[0]!.group} className={HEADING}>
              {made.map((command) => (
                // The words themselves as its value, so that they find it.
                <Item key={command.id} command={command} value={`${words} ${command.id}`} onRun={run} />
              ))}
            </Menu.Group>
          ) : null}
          {[...groups].map(([group, here]) => (
            <Menu.Group key={group} heading={group} className={HEADING}>
              {here.map((command) => (
                <Item key={command.id} command={command} value={`${command.title} ${command.id}`} onRun={run} />
              ))}
            </Menu.Group>
          ))}
        </Menu.List>
      </Menu>
      {state === null ? null : <p className="border-t border-line px-3 py-1.5 text-xs text-soft">{state}</p>}
    </dialog>
  );
}

interface ItemProps {
  command: Command;
  value: string;
  onRun: (command: Command) => void;
}

function Item({ command, value, onRun }: ItemProps) {
  return (
    <Menu.Item
      value={value}
      keywords={[command.group, command.words ?? '']}
      onSelect={() => onRun(command)}
      data-command={command.id}
      className="flex cursor-default items-center justify-between gap-3 rounded-[3px] px-2 py-1 text-sm aria-selected:bg-chosen"
    >
      <span className="min-w-0 truncate">{command.title}</span>
      {command.keys ? (
        <kbd className="shrink-0 rounded-[3px] border border-strong px-1.5 font-mono text-2xs">{printKeys(command.keys)}</kbd>
      ) : null}
    </Menu.Item>
  );
}

function useMore(more: (() => Promise<Command[]>) | undefined): { found: Command[]; state: string | null } {
  const [found, setFound] = useState<Command[]>([]);
  const [state, setState] = useState<string | null>(more ? strings.commands.loading : null);
  const ask = useRef(more);
  useEffect(() => {
    let wanted = true;
    void ask.current?.().then(
      (commands) => {
        if (!wanted) return;
        setFound(commands);
        setState(null);
      },
      (cause: unknown) => wanted && setState(strings.commands.failed(cause instanceof Error ? cause.message : String(cause))),
    );
    return () => {
      wanted = false;
    };
  }, []);
  return { found, state };
}
