'use client';
import type { Command } from '@/app/ui/commands.ts';
import { Dialog } from '@/app/ui/dialog.tsx';
import { printKeys } from '@/app/ui/keys.ts';
import { KindBadge } from '@/app/ui/kind-badge.tsx';
import { SignedBar } from '@/app/ui/signed-bar.tsx';
import { strings } from '@/app/ui/strings.ts';

const KINDS = ['identity', 'approximation', 'causal', 'weights'] as const;

interface HelpSheetProps {
  open: boolean;
  commands: readonly Command[];
  onClose: () => void;
}

/** The keys of every command, then those inside the views, and what signs and names mean. */
export function HelpSheet({ open, commands, onClose }: HelpSheetProps) {
  const keys = commands.flatMap(({ keys: own, title }): [string, string][] => (own ? [[printKeys(own), title]] : []));
  return (
    <Dialog title={strings.help.title} open={open} onClose={onClose}>
      <dl className="grid grid-cols-[auto_1fr] gap-x-4 gap-y-1 text-sm">
        {[...strings.help.keys, ...keys].map(([key, what]) => (
          <div key={key} className="contents">
            <dt>
              <kbd className="rounded-[3px] border border-strong px-1.5 font-mono text-xs">{key}</kbd>
            </dt>
            <dd className="text-soft">{what}</dd>
          </div>
        ))}
      </dl>
      <h3 className="mt-5 mb-1 text-sm font-semibold">{strings.help.signsTitle}</h3>
      <ul className="grid gap-1 text-sm text-soft">
        {[1, -1].map((value) => (
          <li key={value} className="grid grid-cols-[7rem_1fr] items-center gap-2">
            <SignedBar value={value} scale={2} />
            {value > 0 ? strings.help.positive : strings.help.negative}
          </li>
        ))}
      </ul>
      <h3 className="mt-5 mb-1 text-sm font-semibold">{strings.help.kindsTitle}</h3>
      <ul className="grid gap-1 text-sm text-soft">
        {KINDS.map((kind) => (
          <li key={kind} className="grid grid-cols-[7rem_1fr] items-baseline gap-2">
            <span>
              <KindBadge kind={kind} />
            </span>
            {strings.kinds[kind]}
          </li>
        ))}
      </ul>
      <h3 className="mt-5 mb-1 text-sm font-semibold">{strings.help.namesTitle}</h3>
      <dl className="grid gap-1 text-sm">
        {strings.help.names.map(([name, what]) => (
          <div key={name} className="grid gap-x-4 sm:grid-cols-[11rem_1fr]">
            <dt className="font-mono text-xs leading-5 whitespace-pre">{name}</dt>
            <dd className="text-soft">{what}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
