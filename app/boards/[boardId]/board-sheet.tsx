'use client';
import dynamic from 'next/dynamic';
import { useEffect } from 'react';
import type { Command } from '@/app/ui/commands.ts';
import { boards } from '@/app/ui/places.ts';
import { useGoTo, useNamed, type Sheet } from './board-commands.ts';

const load = {
  help: () => import('./help-sheet.tsx').then(({ HelpSheet }) => HelpSheet),
  device: () => import('./device-dialog.tsx').then(({ DeviceDialog }) => DeviceDialog),
  files: () => import('./files-dialog.tsx').then(({ FilesDialog }) => FilesDialog),
  sessions: () => import('./sessions-dialog.tsx').then(({ SessionsDialog }) => SessionsDialog),
  history: () => import('./history-dialog.tsx').then(({ HistoryDialog }) => HistoryDialog),
  share: () => import('./share-dialog.tsx').then(({ ShareDialog }) => ShareDialog),
  publish: () => import('./publish-dialog.tsx').then(({ PublishDialog }) => PublishDialog),
  palette: () => import('@/app/ui/palette.tsx').then(({ Palette }) => Palette),
};

const HelpSheet = dynamic(load.help, { ssr: false });
const DeviceDialog = dynamic(load.device, { ssr: false });
const FilesDialog = dynamic(load.files, { ssr: false });
const SessionsDialog = dynamic(load.sessions, { ssr: false });
const HistoryDialog = dynamic(load.history, { ssr: false });
const ShareDialog = dynamic(load.share, { ssr: false });
const PublishDialog = dynamic(load.publish, { ssr: false });
const Palette = dynamic(load.palette, { ssr: false });

/** After the first paint and before it is wanted: a sheet must open without a connection, too. */
const PRELOAD_MS = 3000;

interface BoardSheetProps {
  sheet: Sheet | null;
  commands: readonly Command[];
  onClose: () => void;
}

/** The sheet or dialog that is open. */
export function BoardSheet({ sheet, commands, onClose }: BoardSheetProps) {
  const named = useNamed();
  const goTo = useGoTo();

  useEffect(() => {
    const timer = setTimeout(() => void Promise.allSettled(Object.values(load).map((one) => one())), PRELOAD_MS);
    return () => clearTimeout(timer);
  }, []);

  switch (sheet) {
    case 'help':
      return <HelpSheet open commands={commands} onClose={onClose} />;
    case 'device':
      return <DeviceDialog open onClose={onClose} />;
    case 'files':
      return <FilesDialog open onClose={onClose} />;
    case 'sessions':
      return <SessionsDialog open onClose={onClose} />;
    case 'history':
      return <HistoryDialog open onClose={onClose} />;
    case 'share':
      return <ShareDialog open onClose={onClose} />;
    case 'publish':
      return <PublishDialog open onClose={onClose} />;
    case 'palette':
      return (
        <Palette
          commands={[...commands.filter(({ id }) => id !== 'sheet:palette'), ...named()]}
          fromWords={goTo}
          more={boards}
          onClose={onClose}
        />
      );
    case null:
      return null;
  }
}
