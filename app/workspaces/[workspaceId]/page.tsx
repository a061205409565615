import type { Metadata } from 'next';
import Link from 'next/link';
import { notFound, redirect } from 'next/navigation';
import { cache } from 'react';
import { authoriseWorkspace } from '@/server/access.ts';
import { app } from '@/server/app.ts';
import { listBoards } from '@/server/boards.ts';
import { isRefusal } from '@/server/refusal.ts';
import { listWorkspaces } from '@/server/workspaces.ts';
import { may, type Role } from '@/lib/roles.ts';
import type { BoardSummary } from '@/lib/wire.ts';
import { BoardList } from '@/app/ui/board-list.tsx';
import { PageFrame } from '@/app/ui/page-frame.tsx';
import { Invites } from '@/app/ui/people/invites.tsx';
import { strings } from '@/app/ui/strings.ts';
import { visitor } from '@/app/ui/visitor.ts';
import { Bin } from './bin.tsx';
import { Log } from './log.tsx';
import { Members } from './members.tsx';
import { Settings } from './settings.tsx';

interface WorkspacePageProps {
  params: Promise<{ workspaceId: string }>;
  searchParams: Promise<Record<string, string | string[] | undefined>>;
}

export async function generateMetadata({ params }: WorkspacePageProps): Promise<Metadata> {
  const opened = await open((await params).workspaceId);
  return { title: opened?.workspace.name ?? strings.errors.notFound };
}

export default async function WorkspacePage({ params, searchParams }: WorkspacePageProps) {
  const { workspaceId } = await params;
  if (!(await visitor())) redirect(`/sign-in?to=/workspaces/${encodeURIComponent(workspaceId)}`);
  const opened = await open(workspaceId);
  if (!opened) notFound();
  const { member, workspace, boards } = opened;
  const sections = SECTIONS.filter((section) => isOffered(section, member.role));
  const asked = (await searchParams)['show'];
  const section = sections.find((one) => one === asked) ?? 'boards';
  const url = `/api/workspaces/${workspaceId}`;
  return (
    <PageFrame>
      <h1 className="text-base font-semibold">{workspace.name}</h1>
      <p className="mb-4 text-xs text-soft">
        {strings.workspaces.summary(workspace.boards, workspace.people)} · {strings.share.yours(member.role)}
      </p>
      <nav aria-label={strings.workspaces.sectionsLabel} className="mb-5 border-b border-line">
        <ul className="-mb-px flex flex-wrap gap-x-4">
          {sections.map((one) => (
            <li key={one}>
              <Link
                href={`/workspaces/${workspaceId}${one === 'boards' ? '' : `?show=${one}`}`}
                prefetch={false}
                aria-current={one === section ? 'page' : undefined}
                className={`block border-b-2 py-1.5 text-sm ${one === section ? 'border-ink font-semibold' : 'border-transparent text-soft hover:text-ink'}`}
              >
                {strings.workspaces.sections[one]}
              </Link>
            </li>
          ))}
        </ul>
      </nav>
      {section === 'boards' ? (
        <Boards boards={boards} role={member.role} url={url} />
      ) : section === 'members' ? (
        <Members url={url} personId={member.id} role={member.role} />
      ) : section === 'invitations' ? (
        <Invites url={url} />
      ) : section === 'log' ? (
        <Log url={url} />
      ) : (
        <Settings url={url} name={workspace.name} />
      )}
    </PageFrame>
  );
}

const SECTIONS = ['boards', 'members', 'invitations', 'log', 'settings'] as const;
type SectionName = (typeof SECTIONS)[number];

function isOffered(section: SectionName, role: Role): boolean {
  if (section === 'invitations') return may(role, 'workspace.invite');
  if (section === 'log') return may(role, 'workspace.audit');
  if (section === 'settings') return may(role, 'workspace.rename') || may(role, 'workspace.delete');
  return true;
}

function Boards({ boards, role, url }: { boards: BoardSummary[]; role: Role; url: string }) {
  return (
    <>
      {boards.length === 0 ? <p className="mb-2 text-sm text-soft">{strings.workspaces.empty}</p> : null}
      <BoardList boards={boards} />
      <p className="mt-2 text-xs text-soft">
        {may(role, 'workspace.create-board') ? strings.workspaces.newBoard : strings.workspaces.noMakers}
      </p>
      {may(role, 'board.delete') ? <Bin url={`${url}/bin`} /> : null}
    </>
  );
}

/** The workspace, who looks at it and its boards; null for who is not in it. */
const open = cache(async (workspaceId: string) => {
  try {
    const member = await authoriseWorkspace(app(), await visitor(), 'workspace.read', workspaceId);
    const [workspaces, boards] = await Promise.all([listWorkspaces(app(), member), listBoards(app(), member)]);
    const workspace = workspaces.find(({ id }) => id === workspaceId);
    return workspace ? { member, workspace, boards: boards.filter((board) => board.workspaceId === workspaceId) } : null;
  } catch (error) {
    if (isRefusal(error)) return null;
    throw error;
  }
});
