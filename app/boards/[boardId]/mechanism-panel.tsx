'use client';
import { useId, useState, type FormEvent, type Ref } from 'react';
import { isModelAnchor } from '@/lib/board/anchors.ts';
import { LIMITS } from '@/lib/board/board-doc.ts';
import { readMembers, type Members } from '@/lib/board/mechanism.ts';
import type { Group } from '@/lib/board/records.ts';
import { Button } from '@/app/ui/button.tsx';
import { ConfirmButton } from '@/app/ui/confirm-button.tsx';
import { Fault } from '@/app/ui/field.tsx';
import { lineOf } from '@/app/ui/request.ts';
import { Section } from '@/app/ui/section.tsx';
import { strings } from '@/app/ui/strings.ts';
import { useBoard } from './board-context.tsx';
import { ClaimsAbout } from './claims-about.tsx';
import { LabelEditor } from './label-editor.tsx';
import { useLit } from './links.ts';
import { MechanismTest } from './mechanism-test.tsx';
import { MechanismValue } from './mechanism-value.tsx';
import { ThreadPanel } from './thread-panel.tsx';
import { useMechanisms } from './use-mechanisms.ts';

interface MechanismPanelProps {
  id: string;
  anchor: string;
  label: Ref<HTMLInputElement>;
  comment: Ref<HTMLTextAreaElement>;
}

/** A mechanism: its name, members, value, tests, and what people make of it. */
export function MechanismPanel({ id, anchor, label, comment }: MechanismPanelProps) {
  const { may } = useBoard();
  const mechanisms = useMechanisms();
  const group = mechanisms.list.find((one) => one.id === id);
  const editable = may('board.edit');

  return (
    <>
      {group ? (
        <>
          <Name group={group} onName={editable ? (name) => mechanisms.rename(id, name) : null} />
          <LabelEditor ref={label} anchor={anchor} />
          <MemberList group={group} editable={editable} />
          <MechanismValue anchor={anchor} members={readMembers(group.members)} />
          {group.members.length > 0 ? <MechanismTest anchor={anchor} members={readMembers(group.members)} /> : null}
        </>
      ) : (
        <p className="border-b border-line px-3 py-2.5 text-sm text-soft">{strings.mechanisms.gone}</p>
      )}
      <ThreadPanel ref={comment} anchor={anchor} title={strings.thread.title} />
      <ClaimsAbout anchor={anchor} />
      {group && editable ? (
        <div className="px-3 py-2.5">
          <ConfirmButton
            label={strings.mechanisms.delete}
            question={strings.mechanisms.deleteQuestion}
            onConfirm={() => mechanisms.remove(id)}
          />
        </div>
      ) : null}
    </>
  );
}

function Name({ group, onName }: { group: Group; onName: ((name: string) => void) | null }) {
  const [draft, setDraft] = useState<string | null>(null);
  if (!onName) return null;
  const commit = () => {
    if (draft !== null && draft.trim() !== '' && draft.trim() !== group.name) onName(draft);
    setDraft(null);
  };
  return (
    <Section title={strings.mechanisms.one}>
      <input
        aria-label={strings.mechanisms.name}
        maxLength={LIMITS.groupName}
        value={draft ?? group.name}
        onChange={(event) => setDraft(event.target.value)}
        onBlur={commit}
        onKeyDown={(event) => {
          if (event.key === 'Enter') event.currentTarget.blur();
          if (event.key === 'Escape' && draft !== null) {
            event.stopPropagation();
            setDraft(null);
          }
        }}
        className="field text-sm"
      />
    </Section>
  );
}

function MemberList({ group, editable }: { group: Group; editable: boolean }) {
  const mechanisms = useMechanisms();
  const [text, setText] = useState('');
  const [error, setError] = useState<string | null>(null);
  const id = useId();
  const words = strings.mechanisms;
  const read = readMembers(group.members);

  const add = (event: FormEvent) => {
    event.preventDefault();
    const names = text.split(/\s*,\s*|\s+/).filter((name) => name !== '');
    try {
      if (names.length === 0) return;
      if (!names.every(isModelAnchor)) return setError(words.notInGrammar);
      mechanisms.add(group.id, names);
      setText('');
      setError(null);
    } catch (cause) {
      setError(lineOf(cause));
    }
  };

  return (
    <Section title={words.members} aside={<span className="text-xs text-soft">{group.members.length}</span>}>
      {group.members.length === 0 ? <p className="mb-1.5 text-xs text-soft">{words.noMembers}</p> : null}
      <ul className="mb-1.5 grid max-h-72 overflow-y-auto" aria-label={words.members}>
        {group.members.map((member) => (
          <MemberRow
            key={member}
            member={member}
            note={noteOf(member, read)}
            onRemove={editable ? () => mechanisms.takeOut(group.id, member) : null}
          />
        ))}
      </ul>
      {editable ? (
        <form onSubmit={add} className="flex gap-1.5">
          <input
            aria-label={words.addMember}
            aria-invalid={error !== null}
            aria-describedby={error ? `${id}-error` : undefined}
            value={text}
            spellCheck={false}
            placeholder={words.addMember}
            title={words.memberHint}
            onChange={(event) => setText(event.target.value)}
            className="field font-mono text-xs"
          />
          <Button type="submit" small>
            {words.add}
          </Button>
        </form>
      ) : null}
      {error ? <Fault id={`${id}-error`}>{error}</Fault> : null}
    </Section>
  );
}

function noteOf(member: string, { covered, slotted }: Members): string | null {
  if (covered.includes(member)) return strings.mechanisms.covered;
  return slotted.includes(member) ? strings.mechanisms.slottedMember : null;
}

function MemberRow({ member, note, onRemove }: { member: string; note: string | null; onRemove: (() => void) | null }) {
  const { select, links } = useBoard();
  const lit = useLit(links, member);
  return (
    <li
      data-member={member}
      onPointerEnter={() => links.hover(member)}
      onPointerLeave={() => links.hover(null)}
      className={`flex items-start justify-between gap-1 rounded-[3px] ${lit.own ? 'bg-hover' : ''}`}
    >
      <button type="button" onClick={() => select(member)} className="name min-h-6 min-w-0 px-1 text-left hover:underline">
        {member}
        {note ? <span className="block font-sans text-2xs text-soft">{note}</span> : null}
      </button>
      {onRemove ? (
        <button
          type="button"
          onClick={onRemove}
          aria-label={strings.mechanisms.remove(member)}
          className="min-h-6 min-w-6 shrink-0 rounded-[3px] text-soft hover:bg-hover hover:text-ink"
        >
          ×
        </button>
      ) : null}
    </li>
  );
}
