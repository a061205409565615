'use client';
import { ROLES } from '@/lib/roles.ts';
import type { Member, Role } from '@/lib/wire.ts';
import { Avatar } from '../avatar.tsx';
import { ConfirmButton } from '../confirm-button.tsx';
import { Fault } from '../field.tsx';
import { request } from '../request.ts';
import { strings } from '../strings.ts';
import { useLoaded } from '../use-loaded.ts';
import { useTask, type Task } from '../use-task.ts';
import { GIVEN_ROLES, RoleSelect } from './role-select.tsx';

interface MemberListProps {
  place: 'board' | 'workspace';
  /** of the place in the API */
  url: string;
  personId: string;
  mayManage: boolean;
  mayTransfer: boolean;
  onLeft: () => void;
  /** somebody's role changed, perhaps one's own */
  onChange?: () => void;
}

/** Who may do what here, and changes of it. */
export function MemberList({ place, url, personId, mayManage, mayTransfer, onLeft, onChange }: MemberListProps) {
  const members = useLoaded<Member[]>(`${url}/members`);
  const task = useTask();

  const change = async (work: () => Promise<unknown>) => {
    if (!(await task.run(work))) return;
    members.reload();
    onChange?.();
  };
  const leave = async () => {
    if (await task.run(() => request(`${url}/members/${personId}`, { method: 'DELETE' }))) onLeft();
  };

  if (members.error) return <Fault>{members.error}</Fault>;
  if (!members.value) return <p className="text-sm text-soft">{strings.common.working}</p>;
  return (
    <>
      <ul aria-label={strings.people.list} className="divide-y divide-line border-y border-line text-sm">
        {members.value.map((member) => (
          <MemberItem
            key={member.person.id}
            {...{ place, url, member, task, change, leave, mayTransfer }}
            isSelf={member.person.id === personId}
            mayManage={mayManage}
          />
        ))}
      </ul>
      {task.error ? <Fault>{task.error}</Fault> : null}
    </>
  );
}

interface MemberItemProps {
  place: MemberListProps['place'];
  url: string;
  member: Member;
  isSelf: boolean;
  mayManage: boolean;
  mayTransfer: boolean;
  task: Task;
  change: (work: () => Promise<unknown>) => Promise<void>;
  leave: () => Promise<void>;
}

function MemberItem({ place, url, member, isSelf, mayManage, mayTransfer, task, change, leave }: MemberItemProps) {
  const { person, guest, role, through } = member;
  const own = `${url}/members/${person.id}`;
  const isHere = place === 'workspace' || through === 'board';
  const setRole = (next: Role) => change(() => request(own, { method: 'PATCH', body: { role: next } }));

  return (
    <li data-member={person.name} className="flex flex-wrap items-center gap-x-2 gap-y-1 py-1.5">
      <Avatar name={person.name} color="" />
      <span className="min-w-24 flex-1">
        {person.name}
        {isSelf ? <b className="ml-1.5 text-xs font-semibold">{strings.people.you}</b> : null}
        {guest ? <span className="ml-1.5 text-xs text-soft">{strings.people.guest}</span> : null}
        {place === 'board' && through === 'workspace' ? (
          <span className="block text-xs text-soft">{strings.people.through.workspace}</span>
        ) : null}
      </span>
      <span className="flex flex-wrap items-center gap-1">
        {mayManage && !isSelf ? (
          <RoleSelect
            label={strings.people.role(person.name)}
            value={role}
            roles={choicesFor(member, isHere)}
            disabled={task.busy}
            onRole={setRole}
          />
        ) : (
          <span className="px-1.5 text-xs text-soft">{strings.roles.names[role]}</span>
        )}
        {mayTransfer && !isSelf && role !== 'owner' && !guest ? (
          <ConfirmButton
            label={strings.people.transfer}
            name={strings.people.transferName(person.name)}
            question={strings.people.transferSure(person.name)}
            disabled={task.busy}
            onConfirm={() => change(() => request(`${url}/transfer`, { method: 'POST', body: { personId: person.id } }))}
          />
        ) : null}
        {isSelf ? (
          isHere ? (
            <ConfirmButton
              label={strings.people.leave}
              question={strings.people.leaveSure[place]}
              disabled={task.busy}
              onConfirm={() => void leave()}
            />
          ) : null
        ) : mayManage && isHere ? (
          <ConfirmButton
            label={strings.people.remove}
            name={strings.people.removeName(person.name)}
            question={strings.people.removeSure(person.name)}
            disabled={task.busy}
            onConfirm={() => change(() => request(own, { method: 'DELETE' }))}
          />
        ) : null}
      </span>
    </li>
  );
}

/** A role from the workspace can be raised on the board, not lowered; a guest is lost with their browser, so none owns. */
function choicesFor({ guest, role }: Member, isHere: boolean): readonly Role[] {
  const given = guest ? GIVEN_ROLES : ROLES;
  return isHere ? given : given.filter((one) => ROLES.indexOf(one) <= ROLES.indexOf(role));
}
