import Link from 'next/link';
import { app } from '@/server/app.ts';
import { listBoards } from '@/server/boards.ts';
import { formatTime } from '@/lib/figures/numbers.ts';
import type { BoardSummary, ModelSummary } from '@/lib/wire.ts';
import { PageFrame } from './ui/page-frame.tsx';
import { StartForm } from './ui/start-form.tsx';
import { strings } from './ui/strings.ts';
import { visitor } from './ui/visitor.ts';

/** Boards listed at once. */
const RECENT = 8;

export default async function StartPage() {
  const person = await visitor();
  if (!person) return <SignedOut />;
  const [models, boards] = await Promise.all([app().models.list(), listBoards(app(), person)]);
  return (
    <PageFrame person={person.name}>
      <h1 className="mb-5 text-sm text-soft">{strings.tagline}</h1>
      {person.owner ? <StartForm models={models} /> : null}
      <div className="mt-10 grid grid-cols-1 gap-x-10 gap-y-8 sm:grid-cols-[minmax(0,2fr)_minmax(0,1fr)]">
        <Boards boards={boards} />
        <div className="grid content-start gap-8">
          <Models models={models} />
          <Note title={strings.start.invite}>{strings.start.inviteText}</Note>
        </div>
      </div>
    </PageFrame>
  );
}

function SignedOut() {
  return (
    <PageFrame>
      <p className="mb-6 text-sm text-soft">{strings.tagline}</p>
      <h1 className="mb-2 text-base font-semibold">{strings.start.signedOutTitle}</h1>
      <p className="max-w-xl text-sm">{strings.start.signedOut}</p>
      <pre className="my-3 max-w-xl overflow-x-auto rounded-[3px] border border-line bg-paper px-3 py-2 font-mono text-sm">
        {strings.start.signedOutCommand}
      </pre>
      <p className="max-w-xl text-sm text-soft">{strings.start.signedOutGuest}</p>
    </PageFrame>
  );
}

function Boards({ boards }: { boards: BoardSummary[] }) {
  return (
    <section aria-labelledby="boards">
      <h2 id="boards" className="mb-2 text-sm font-semibold">
        {strings.start.boards}
      </h2>
      {boards.length === 0 ? <p className="text-sm text-soft">{strings.start.noBoards}</p> : null}
      <BoardList boards={boards.slice(0, RECENT)} />
      {boards.length > RECENT ? (
        <details className="mt-2">
          <summary className="text-xs text-soft">{strings.start.olderBoards(boards.length - RECENT)}</summary>
          <div className="mt-2">
            <BoardList boards={boards.slice(RECENT)} />
          </div>
        </details>
      ) : null}
    </section>
  );
}

function BoardList({ boards }: { boards: BoardSummary[] }) {
  return (
    <ul className="divide-y divide-line border-y border-line empty:hidden">
      {boards.map((board) => (
        <li key={board.id}>
          <Link href={`/boards/${board.id}`} className="block px-1 py-1.5 hover:bg-hover">
            <span className="flex items-baseline justify-between gap-3">
              <span className="truncate text-sm font-medium">{board.title || strings.board.untitled}</span>
              <span className="shrink-0 text-2xs text-soft">{formatTime(board.updatedAt)}</span>
            </span>
            <span className="block truncate text-xs text-soft">
              {board.model}
              {board.prompt === board.title ? null : (
                <>
                  {' · '}
                  <span className="font-mono">{board.prompt}</span>
                </>
              )}
            </span>
          </Link>
        </li>
      ))}
    </ul>
  );
}

function Models({ models }: { models: ModelSummary[] }) {
  return (
    <section aria-labelledby="models">
      <h2 id="models" className="mb-2 text-sm font-semibold">
        {strings.start.models}
      </h2>
      <ul className="mb-1.5 text-sm">
        {models.map((model) => (
          <li key={model.name} className="flex items-baseline justify-between gap-3">
            <span className="name">{model.name}</span>
            <span className="text-xs text-soft">{model.family}</span>
          </li>
        ))}
      </ul>
      <Link href="/models" className="text-xs text-soft underline underline-offset-2">
        {strings.start.allModels}
      </Link>
    </section>
  );
}

function Note({ title, children }: { title: string; children: string }) {
  return (
    <section>
      <h2 className="mb-2 text-sm font-semibold">{title}</h2>
      <p className="text-xs text-soft">{children}</p>
    </section>
  );
}
