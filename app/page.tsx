import Link from 'next/link';
import { app } from '@/server/app.ts';
import { listBoards } from '@/server/boards.ts';
import { listWorkspaces } from '@/server/workspaces.ts';
import { may } from '@/lib/roles.ts';
import { id, type BoardSummary, type ModelSummary, type WorkspaceSummary } from '@/lib/wire.ts';
import { OwnerHint } from './sign-in/owner-hint.tsx';
import { SignIn } from './sign-in/sign-in.tsx';
import { BoardList } from './ui/board-list.tsx';
import { DeletedBoard } from './ui/deleted-board.tsx';
import { NewWorkspace } from './ui/new-workspace.tsx';
import { PageFrame } from './ui/page-frame.tsx';
import { StartForm } from './ui/start-form.tsx';
import { strings } from './ui/strings.ts';
import { visitor } from './ui/visitor.ts';

interface StartPageProps {
  searchParams: Promise<Record<string, string | string[] | undefined>>;
}

export default async function StartPage({ searchParams }: StartPageProps) {
  const deleted = id.safeParse((await searchParams)['deleted']).data ?? null;
  const person = await visitor();
  if (!person) return <SignedOut />;
  const [models, boards, workspaces] = await Promise.all([app().models.list(), listBoards(app(), person), listWorkspaces(app(), person)]);
  const makers = workspaces.filter(({ role }) => may(role, 'workspace.create-board'));
  return (
    <PageFrame>
      {deleted ? <DeletedBoard boardId={deleted} /> : null}
      <h1 className="mb-5 text-sm text-soft">{strings.tagline}</h1>
      {makers.length > 0 ? (
        <StartForm models={models} workspaces={makers.map(({ id: workspaceId, name }) => ({ id: workspaceId, name }))} />
      ) : (
        <Note title={strings.start.noMaker}>{person.guest ? strings.start.noMakerGuest : strings.start.noMakerText}</Note>
      )}
      <div className="mt-10 grid grid-cols-1 gap-x-10 gap-y-8 sm:grid-cols-[minmax(0,2fr)_minmax(0,1fr)]">
        <Boards boards={boards} workspaces={workspaces} />
        <div className="grid content-start gap-8">
          <Workspaces workspaces={workspaces.filter(({ role }) => role !== null)} mayMake={!person.guest} />
          <Models models={models} />
          <Note title={strings.start.invite}>{strings.start.inviteText}</Note>
        </div>
      </div>
    </PageFrame>
  );
}

function SignedOut() {
  const { auth, config } = app();
  return (
    <PageFrame>
      <p className="mb-6 text-sm text-soft">{strings.tagline}</p>
      <div className="grid gap-x-12 gap-y-10 sm:grid-cols-2">
        <section>
          <h1 className="mb-3 text-base font-semibold">{strings.signIn.title}</h1>
          <SignIn options={{ providers: auth.providers, signUp: config.signUp }} guest={null} to="/" fault={null} />
        </section>
        <OwnerHint />
      </div>
    </PageFrame>
  );
}

interface BoardsProps {
  boards: BoardSummary[];
  workspaces: WorkspaceSummary[];
}

/** One list; by workspace where there are several. */
function Boards({ boards, workspaces }: BoardsProps) {
  if (workspaces.length < 2) {
    return (
      <section aria-labelledby="boards">
        <h2 id="boards" className="mb-2 text-sm font-semibold">
          {strings.start.boards}
        </h2>
        {boards.length === 0 ? <p className="text-sm text-soft">{strings.start.noBoards}</p> : null}
        <BoardList boards={boards} />
      </section>
    );
  }
  return (
    <div className="grid content-start gap-6">
      {workspaces.map(({ id: workspaceId, name, role }) => {
        const here = boards.filter((board) => board.workspaceId === workspaceId);
        return (
          <section key={workspaceId} aria-label={name} data-workspace={name}>
            <h2 className="mb-2 flex items-baseline gap-2 text-sm font-semibold">
              {role === null ? (
                name
              ) : (
                <Link href={`/workspaces/${workspaceId}`} prefetch={false} className="hover:underline">
                  {name}
                </Link>
              )}
              {role === null ? <span className="text-xs font-normal text-soft">{strings.workspaces.guestBoards}</span> : null}
            </h2>
            {here.length === 0 ? <p className="text-sm text-soft">{strings.workspaces.empty}</p> : null}
            <BoardList boards={here} />
          </section>
        );
      })}
    </div>
  );
}

function Workspaces({ workspaces, mayMake }: { workspaces: WorkspaceSummary[]; mayMake: boolean }) {
  if (workspaces.length === 0 && !mayMake) return null;
  return (
    <section aria-labelledby="workspaces">
      <h2 id="workspaces" className="mb-2 text-sm font-semibold">
        {strings.workspaces.title}
      </h2>
      <ul className="mb-1.5 grid gap-1 text-sm">
        {workspaces.map(({ id: workspaceId, name, boards, people }) => (
          <li key={workspaceId}>
            <Link href={`/workspaces/${workspaceId}`} prefetch={false} className="underline underline-offset-2">
              {name}
            </Link>
            <span className="block text-xs text-soft">{strings.workspaces.summary(boards, people)}</span>
          </li>
        ))}
      </ul>
      {mayMake ? <NewWorkspace /> : null}
    </section>
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
      <Link href="/models" prefetch={false} className="text-xs text-soft underline underline-offset-2">
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
