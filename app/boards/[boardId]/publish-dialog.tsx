'use client';
import { useId, useState, type FormEvent } from 'react';
import { readTitle } from '@/lib/board/board-doc.ts';
import { formatTime } from '@/lib/figures/numbers.ts';
import type { ModelSummary, Publication } from '@/lib/wire.ts';
import { Button } from '@/app/ui/button.tsx';
import { Dialog } from '@/app/ui/dialog.tsx';
import { Fault, Field } from '@/app/ui/field.tsx';
import { RequestFailure, lineOf, request } from '@/app/ui/request.ts';
import { strings } from '@/app/ui/strings.ts';
import { useLoaded } from '@/app/ui/use-loaded.ts';
import { useBoard } from './board-context.tsx';
import { useLive } from './use-live.ts';

interface Draft {
  title: string;
  slug: string;
  question: string;
  findings: string;
  threads: boolean;
  anonymous: boolean;
  /** null: as is usual for the model */
  weights: boolean | null;
}

const FIELDS = ['title', 'slug', 'question', 'findings'] as const;

export function PublishDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  return (
    <Dialog title={strings.publish.title} open={open} onClose={onClose}>
      <PublishForm />
    </Dialog>
  );
}

const draftKey = (boardId: string) => `pathboard.publish.${boardId}`;

/** What was published last from this browser, so that publishing again makes the next version of the same page. */
function useDraft(boardId: string, title: string) {
  const [draft, setDraft] = useState<Draft>(() => {
    const kept = localStorage.getItem(draftKey(boardId));
    const fresh: Draft = { title, slug: '', question: '', findings: '', threads: true, anonymous: false, weights: null };
    return kept ? { ...fresh, ...(JSON.parse(kept) as Partial<Draft>) } : fresh;
  });
  const keep = (next: Draft) => {
    setDraft(next);
    localStorage.setItem(draftKey(boardId), JSON.stringify(next));
  };
  return [draft, keep] as const;
}

function PublishForm() {
  const { boardId, session, setup } = useBoard();
  const earlier = useLoaded<Publication[]>(`/api/boards/${boardId}/publications`);
  const models = useLoaded<ModelSummary[]>('/api/models');
  const isBuiltIn = models.value?.find(({ name }) => name === setup.model)?.builtIn ?? false;
  const [draft, keep] = useDraft(boardId, useLive(session.boardDoc, readTitle));
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<{ field: string; line: string } | null>(null);
  const [published, setPublished] = useState<Publication | null>(null);

  const publish = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setFault(null);
    const { slug, weights, ...rest } = draft;
    const body = { ...rest, ...(slug.trim() !== '' && { slug: slug.trim() }), ...(weights !== null && { weights }) };
    await request<Publication>(`/api/boards/${boardId}/publish`, { method: 'POST', body }).then(
      (made) => {
        setPublished(made);
        keep({ ...draft, slug: made.slug });
        earlier.reload();
      },
      (error: unknown) => setFault({ field: fieldOf(error), line: lineOf(error) ?? '' }),
    );
    setBusy(false);
  };

  const errorOf = (field: string) => (fault?.field === field ? fault.line : null);
  return (
    <form onSubmit={publish} className="grid gap-3">
      <Field label={strings.publish.titleField} error={errorOf('title')}>
        {(control) => (
          <input
            {...control}
            value={draft.title}
            maxLength={200}
            onChange={(event) => keep({ ...draft, title: event.target.value })}
            className="field"
          />
        )}
      </Field>
      <Field label={strings.publish.question} error={errorOf('question')}>
        {(control) => (
          <textarea
            {...control}
            rows={2}
            value={draft.question}
            onChange={(event) => keep({ ...draft, question: event.target.value })}
            className="field"
          />
        )}
      </Field>
      <Field label={strings.publish.findings} hint={strings.publish.findingsHint} error={errorOf('findings')}>
        {(control) => (
          <textarea
            {...control}
            rows={5}
            value={draft.findings}
            onChange={(event) => keep({ ...draft, findings: event.target.value })}
            className="field"
          />
        )}
      </Field>
      <Field label={strings.publish.slug} hint={strings.publish.slugHint} error={errorOf('slug')}>
        {(control) => (
          <input
            {...control}
            value={draft.slug}
            spellCheck={false}
            onChange={(event) => keep({ ...draft, slug: event.target.value })}
            className="field font-mono"
            placeholder={strings.publish.slugPlaceholder}
          />
        )}
      </Field>
      <fieldset className="grid gap-2 border-t border-line pt-3">
        <legend className="float-left mb-1 w-full text-xs font-medium text-soft">{strings.publish.options}</legend>
        <Option checked={draft.threads} onChange={(threads) => keep({ ...draft, threads })} label={strings.publish.threads} />
        <Option
          checked={draft.anonymous}
          onChange={(anonymous) => keep({ ...draft, anonymous })}
          label={strings.publish.anonymous}
          hint={strings.publish.anonymousHint}
        />
        <Option
          checked={draft.weights ?? isBuiltIn}
          onChange={(weights) => keep({ ...draft, weights })}
          label={strings.publish.weights(setup.model)}
          hint={strings.publish.weightsHint}
        />
      </fieldset>
      <div className="flex items-center gap-3">
        <Button type="submit" tone="main" disabled={busy}>
          {busy ? strings.publish.busy : strings.publish.submit}
        </Button>
        {published ? (
          <p role="status" className="text-sm">
            {strings.publish.done(published.version)}{' '}
            <a
              href={published.url}
              target="_blank"
              rel="noreferrer"
              className="font-mono underline underline-offset-2"
              data-testid="published-link"
            >
              /p/{published.slug}
            </a>
          </p>
        ) : null}
      </div>
      <Earlier publications={earlier.value ?? []} />
      {fault && !FIELDS.some((field) => field === fault.field) ? <Fault>{fault.line}</Fault> : null}
    </form>
  );
}

interface OptionProps {
  checked: boolean;
  onChange: (checked: boolean) => void;
  label: string;
  hint?: string;
}

function Option({ checked, onChange, label, hint }: OptionProps) {
  const id = useId();
  return (
    <div className="grid grid-cols-[auto_1fr] items-baseline gap-x-2">
      <input
        id={id}
        type="checkbox"
        checked={checked}
        aria-describedby={hint ? `${id}-hint` : undefined}
        onChange={(event) => onChange(event.target.checked)}
      />
      <label htmlFor={id} className="text-sm">
        {label}
      </label>
      {hint ? (
        <p id={`${id}-hint`} className="col-start-2 text-xs text-soft">
          {hint}
        </p>
      ) : null}
    </div>
  );
}

function Earlier({ publications }: { publications: readonly Publication[] }) {
  if (publications.length === 0) return null;
  return (
    <details>
      <summary className="text-xs text-soft">{strings.publish.earlier(publications.length)}</summary>
      <ul className="mt-1 grid gap-1 text-xs">
        {publications.map(({ slug, version, title, url, createdAt }) => (
          <li key={`${slug}/${version}`} className="flex flex-wrap gap-x-2">
            <a href={url} target="_blank" rel="noreferrer" className="font-mono underline underline-offset-2">
              /p/{slug}/v{version}
            </a>
            <span className="min-w-0 truncate">{title}</span>
            <span className="text-soft">{formatTime(createdAt)}</span>
          </li>
        ))}
      </ul>
    </details>
  );
}

function fieldOf(error: unknown): string {
  const where = error instanceof RequestFailure ? (error.where ?? error.message) : '';
  return FIELDS.find((field) => where.toLowerCase().startsWith(field)) ?? 'form';
}
