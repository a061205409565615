'use client';
import { ROLES, type Role } from '@/lib/roles.ts';
import { strings } from '../strings.ts';

interface RoleSelectProps {
  id?: string;
  label?: string;
  value: Role;
  /** ownership is handed over by a button of its own */
  roles?: readonly Role[];
  disabled?: boolean;
  onRole: (role: Role) => void;
}

export const GIVEN_ROLES = ROLES.filter((role) => role !== 'owner');

export function RoleSelect({ id, label, value, roles = GIVEN_ROLES, disabled = false, onRole }: RoleSelectProps) {
  const choices = roles.includes(value) ? roles : [value, ...roles];
  return (
    <select
      id={id}
      aria-label={label}
      value={value}
      disabled={disabled}
      onChange={(event) => onRole(event.target.value as Role)}
      className="rounded-[3px] border border-strong bg-paper px-1 py-0.5 text-xs text-ink disabled:opacity-50"
    >
      {choices.map((role) => (
        <option key={role} value={role}>
          {strings.roles.names[role]}
        </option>
      ))}
    </select>
  );
}
