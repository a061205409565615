'use client';
import { useRouter } from 'next/navigation';
import { may, type Role } from '@/lib/roles.ts';
import { MemberList } from '@/app/ui/people/member-list.tsx';

interface MembersProps {
  url: string;
  personId: string;
  role: Role;
}

export function Members({ url, personId, role }: MembersProps) {
  const router = useRouter();
  return (
    <MemberList
      key={role}
      place="workspace"
      url={url}
      personId={personId}
      mayManage={may(role, 'workspace.members')}
      mayTransfer={may(role, 'workspace.transfer')}
      onLeft={() => location.assign('/')}
      onChange={() => router.refresh()}
    />
  );
}
