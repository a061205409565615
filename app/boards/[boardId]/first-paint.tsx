'use client';
import { strings } from '@/app/ui/strings.ts';
import type { BoardProps } from './board.tsx';
import type { Notice } from './board-visit.ts';
import { SignInLink } from './notices.tsx';

interface FirstPaintProps extends Pick<BoardProps, 'title' | 'model' | 'prompt'> {
  notice: Notice | null;
  /** the documents have arrived, but without a setup that can be read */
  broken?: boolean;
}

/** What the server already knows of the board, until its documents have arrived. */
export function FirstPaint({ title, model, prompt, notice, broken = false }: FirstPaintProps) {
  const fault = notice?.text ?? (broken ? strings.board.broken : null);
  return (
    <main className="mx-auto flex max-w-3xl flex-col gap-3 px-4 py-8">
      <h1 className="text-base font-semibold">{title || strings.board.untitled}</h1>
      <p className="text-sm text-soft">
        {model} · <span className="font-mono">{prompt}</span>
      </p>
      {fault === null ? (
        <p role="status" className="text-sm text-soft">
          {strings.board.opening}
        </p>
      ) : (
        <p role="alert" className="text-sm font-medium text-fault">
          {fault} {notice?.signIn ? <SignInLink /> : null}
        </p>
      )}
    </main>
  );
}
