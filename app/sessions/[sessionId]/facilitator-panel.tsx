'use client';
import { useState, type FormEvent } from 'react';
import { may } from '@/lib/roles.ts';
import type { Member, Progress, SessionDetail } from '@/lib/wire.ts';
import { formatCount, formatTime, formatValue } from '@/lib/figures/numbers.ts';
import { Button } from '@/app/ui/button.tsx';
import { ConfirmButton } from '@/app/ui/confirm-button.tsx';
import { Fault, Field } from '@/app/ui/field.tsx';
import { request } from '@/app/ui/request.ts';
import { ScrollRegion } from '@/app/ui/scroll-region.tsx';
import { strings } from '@/app/ui/strings.ts';
import { useLoaded } from '@/app/ui/use-loaded.ts';
import { useTask, type Task } from '@/app/ui/use-task.ts';
import { Meter } from './meter.tsx';
import type { SessionState } from './use-session.ts';

/** How far everybody is, and what a facilitator can do about it. Nothing of anybody's label. */
export function FacilitatorPanel({ state }: { state: SessionState }) {
  const { detail } = state;
  const words = strings.sessions.facilitate;
  const task = useTask();
  const members = useLoaded<Member[]>(`/api/boards/${detail.boardId}/members`);
  const able = (members.value ?? []).filter(({ role }) => may(role, 'board.annotate')).map(({ person }) => person);
  const progress = detail.progress ?? [];
  return (
    <div className="mx-auto grid w-full max-w-5xl grid-cols-[minmax(0,1fr)] gap-6 px-3 py-4">
      <StateActs state={state} task={task} />
      {task.error ? <Fault>{task.error}</Fault> : null}
      <section>
        <h2 className="mb-1 text-sm font-semibold">{words.people}</h2>
        <p className="mb-2 text-xs text-soft">{words.seen}</p>
        <People state={state} able={able} />
      </section>
      {members.error ? <Fault>{members.error}</Fault> : null}
      {detail.state === 'closed' ? null : (
        <AddForm
          state={state}
          others={able.filter(({ id }) => !progress.some(({ person }) => person.id === id))}
          loaded={members.value !== null}
        />
      )}
      <Facts detail={detail} />
    </div>
  );
}

function StateActs({ state: { detail, set }, task }: { state: SessionState; task: Task }) {
  const words = strings.sessions.facilitate;
  const { state, progress } = detail;
  const tasks = (progress ?? []).reduce((sum, one) => sum + one.tasks, 0);
  const done = (progress ?? []).reduce((sum, one) => sum + one.done, 0);
  const go = (next: SessionDetail['state']) =>
    void task.run(async () => set(await request<SessionDetail>(`/api/sessions/${detail.id}`, { method: 'PATCH', body: { state: next } })));
  const running = state === 'open' || state === 'paused';
  return (
    <section className="flex flex-wrap items-center gap-x-4 gap-y-2">
      <div className="flex items-center gap-2 text-sm">
        <Meter label={words.total(done, tasks)} value={done} max={tasks} className="w-40" />
        <span data-testid="total">{words.total(done, tasks)}</span>
      </div>
      <div className="flex flex-wrap items-center gap-2">
        {state === 'open' ? (
          <Button small disabled={task.busy} onClick={() => go('paused')}>
            {words.pause}
          </Button>
        ) : null}
        {state === 'paused' ? (
          <Button small disabled={task.busy} onClick={() => go('open')}>
            {words.resume}
          </Button>
        ) : null}
        {running ? (
          <ConfirmButton
            label={words.reveal}
            question={`${done < tasks ? words.revealPart(tasks - done) : ''}${words.revealSure}`}
            disabled={task.busy}
            onConfirm={() => go('revealed')}
          />
        ) : null}
        {state === 'closed' ? null : (
          <ConfirmButton
            label={words.close}
            question={running ? words.closeBlindSure : words.closeSure}
            disabled={task.busy}
            onConfirm={() => go('closed')}
          />
        )}
      </div>
    </section>
  );
}

function People({ state, able }: { state: SessionState; able: { id: string; name: string }[] }) {
  const { detail } = state;
  const words = strings.sessions.facilitate;
  const { columns } = words;
  return (
    <ScrollRegion label={words.people}>
      <table className="w-full text-sm">
        <thead>
          <tr className="border-b border-line text-left text-2xs text-soft [&>th]:py-1 [&>th]:pr-4 [&>th]:font-normal">
            <th scope="col">{columns.person}</th>
            <th scope="col">{columns.done}</th>
            <th scope="col" className="text-right">
              {columns.skipped}
            </th>
            <th scope="col">{columns.joined}</th>
            <th scope="col" className="relative">
              <span className="sr-only">{columns.acts}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {(detail.progress ?? []).map((one) => (
            <tr
              key={one.person.id}
              data-annotator={one.person.name}
              className="border-b border-line align-baseline [&>td]:py-1.5 [&>td]:pr-4 [&>th]:py-1.5 [&>th]:pr-4"
            >
              <th scope="row" className="text-left font-medium">
                {one.person.name}
              </th>
              <td className="whitespace-nowrap">
                <Meter label={one.person.name} value={one.done} max={one.tasks} className="mr-2 w-24" />
                <span data-testid="done">{words.doneOf(one.done, one.tasks)}</span>
              </td>
              <td className="text-right font-mono text-xs">{one.skipped}</td>
              <td className="whitespace-nowrap text-xs text-soft">{formatTime(one.joinedAt)}</td>
              <td>{detail.state === 'closed' || one.done === one.tasks ? null : <Reassign one={one} state={state} able={able} />}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollRegion>
  );
}

function Reassign({ one, state, able }: { one: Progress; state: SessionState; able: { id: string; name: string }[] }) {
  const words = strings.sessions.facilitate;
  const { person, tasks, done } = one;
  const [open, setOpen] = useState(false);
  const [to, setTo] = useState('');
  const [told, tell] = useState<string | null>(null);
  const task = useTask();
  const others = able.filter(({ id }) => id !== person.id);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const { id } = state.detail;
    let counts = { moved: 0, dropped: 0 };
    const worked = await task.run(async () => {
      counts = await request(`/api/sessions/${id}/reassign`, { method: 'POST', body: { from: person.id, to } });
      await state.reload();
    });
    if (!worked) return;
    tell(words.reassigned(counts.moved, counts.dropped, others.find((other) => other.id === to)?.name ?? ''));
    setOpen(false);
  };

  if (!open) {
    return (
      <span className="flex flex-wrap items-center gap-2">
        <Button tone="quiet" small aria-label={words.reassign(person.name)} onClick={() => setOpen(true)}>
          {words.reassignShort}
        </Button>
        <span role="status" className="text-xs text-soft">
          {told}
        </span>
      </span>
    );
  }
  return (
    <form onSubmit={submit} className="flex flex-wrap items-end gap-2">
      <Field label={words.reassignTo(tasks - done, person.name)} error={task.error}>
        {(control) => (
          <select {...control} autoFocus value={to} onChange={(event) => setTo(event.target.value)} className="field text-sm">
            <option value="">{words.choose}</option>
            {others.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </select>
        )}
      </Field>
      <Button type="submit" small disabled={task.busy || to === ''}>
        {words.reassignSubmit}
      </Button>
      <Button tone="quiet" small onClick={() => setOpen(false)}>
        {strings.common.cancel}
      </Button>
    </form>
  );
}

function AddForm({ state, others, loaded }: { state: SessionState; others: { id: string; name: string }[]; loaded: boolean }) {
  const words = strings.sessions.facilitate;
  const { detail, set } = state;
  const [who, setWho] = useState('');
  const task = useTask();

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const url = `/api/sessions/${detail.id}/annotators`;
    if (await task.run(async () => set(await request<SessionDetail>(url, { method: 'POST', body: { personId: who } })))) setWho('');
  };

  if (loaded && others.length === 0) return <p className="text-xs text-soft">{words.nobodyToAdd}</p>;
  return (
    <form onSubmit={submit} className="flex max-w-xl flex-wrap items-end gap-2">
      <Field
        label={words.add}
        error={task.error}
        hint={`${words.addHint}${detail.revealedAt === null ? '' : ` ${words.addHintRevealed}`}`}
        className="w-full"
      >
        {(control) => (
          <span className="flex gap-2">
            <select {...control} value={who} onChange={(event) => setWho(event.target.value)} className="field max-w-64 text-sm">
              <option value="">{words.choose}</option>
              {others.map(({ id, name }) => (
                <option key={id} value={id}>
                  {name}
                </option>
              ))}
            </select>
            <Button type="submit" small disabled={task.busy || who === ''}>
              {words.addSubmit}
            </Button>
          </span>
        )}
      </Field>
    </form>
  );
}

function Facts({ detail }: { detail: SessionDetail }) {
  const words = strings.sessions.facilitate;
  const { facts } = words;
  const rows: [string, string][] = [
    [facts.labels, detail.labels.join(', ')],
    [facts.items, formatCount(detail.items)],
    [facts.picked, pickedBy(detail)],
    [facts.perItem, detail.perItem === null ? facts.everyone : facts.some(detail.perItem)],
    [facts.blind, detail.hidesNumbers ? facts.blindNumbers : facts.blindLabels],
    [facts.made, `${formatTime(detail.createdAt)} ${strings.sessions.byFacilitator(detail.facilitator.name)}`],
    ...(detail.revealedAt === null ? [] : [[facts.revealed, formatTime(detail.revealedAt)] as [string, string]]),
  ];
  return (
    <section>
      <h2 className="mb-1 text-sm font-semibold">{words.setUp}</h2>
      <dl className="grid grid-cols-[minmax(6rem,auto)_1fr] gap-x-4 gap-y-0.5 text-xs">
        {rows.map(([name, value]) => (
          <div key={name} className="contents">
            <dt className="text-soft">{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {detail.instructions === '' ? null : <p className="mt-2 max-w-2xl text-xs whitespace-pre-wrap text-soft">{detail.instructions}</p>}
    </section>
  );
}

function pickedBy({ pick }: SessionDetail): string {
  const { picked } = strings.sessions.facilitate;
  switch (pick.by) {
    case 'top':
      return picked.top(pick.count);
    case 'threshold':
      return pick.of === 'value' ? picked.value(formatValue(pick.least)) : picked.share(`${Number((100 * pick.least).toPrecision(3))}%`);
    case 'hand':
      return picked.hand;
  }
}
