'use client';
import { useState, type FormEvent } from 'react';
import { readTitle } from '@/lib/board/board-doc.ts';
import type { Publication } from '@/lib/wire.ts';
import { Button } from '@/app/ui/button.tsx';
import { Dialog } from '@/app/ui/dialog.tsx';
import { Fault, Field } from '@/app/ui/field.tsx';
import { RequestFailure, lineOf, request } from '@/app/ui/request.ts';
import { strings } from '@/app/ui/strings.ts';
import { useBoard } from './board-context.tsx';
import { useLive } from './use-live.ts';

interface Draft {
  title: string;
  slug: string;
  question: string;
  findings: string;
  threads: boolean;
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
    return kept ? (JSON.parse(kept) as Draft) : { title, slug: '', question: '', findings: '', threads: true };
  });
  const keep = (next: Draft) => {
    setDraft(next);
    localStorage.setItem(draftKey(boardId), JSON.stringify(next));
  };
  return [draft, keep] as const;
}

function PublishForm() {
  const { boardId, session } = useBoard();
  const [draft, keep] = useDraft(boardId, useLive(session.boardDoc, readTitle));
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<{ field: string; line: string } | null>(null);
  const [published, setPublished] = useState<Publication | null>(null);

  const publish = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setFault(null);
    const { slug, ...rest } = draft;
    const body = slug.trim() === '' ? rest : { ...rest, slug: slug.trim() };
    await request<Publication>(`/api/boards/${boardId}/publish`, { method: 'POST', body }).then(
      (made) => {
        setPublished(made);
        keep({ ...draft, slug: made.slug });
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
      <label className="flex items-center gap-2 text-sm">
        <input type="checkbox" checked={draft.threads} onChange={(event) => keep({ ...draft, threads: event.target.checked })} />
        {strings.publish.threads}
      </label>
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
      {fault && !FIELDS.some((field) => field === fault.field) ? <Fault>{fault.line}</Fault> : null}
    </form>
  );
}

function fieldOf(error: unknown): string {
  const where = error instanceof RequestFailure ? (error.where ?? error.message) : '';
  return FIELDS.find((field) => where.toLowerCase().startsWith(field)) ?? 'form';
}
