'use client';
import { Dialog } from '@/app/ui/dialog.tsx';
import { strings } from '@/app/ui/strings.ts';

export function QueueHelp({ labels, open, onClose }: { labels: readonly string[]; open: boolean; onClose: () => void }) {
  const { help } = strings.sessions;
  return (
    <Dialog title={help.title} open={open} onClose={onClose}>
      <dl className="grid grid-cols-[auto_1fr] gap-x-4 gap-y-1 text-sm">
        {help.keys(labels).map(([keys, what]) => (
          <div key={keys} className="contents">
            <dt>
              <kbd className="rounded-[3px] border border-strong px-1.5 font-mono text-xs">{keys}</kbd>
            </dt>
            <dd className="text-soft">{what}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
