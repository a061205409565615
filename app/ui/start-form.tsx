'use client';
import { useRouter } from 'next/navigation';
import { useState } from 'react';
import type { ModelSummary, Setup } from '@/lib/wire.ts';
import { Button } from './button.tsx';
import { Field } from './field.tsx';
import { lineOf, request } from './request.ts';
import { strings } from './strings.ts';
import { useListens } from './use-listens.ts';
import { TokenChip } from './token-chip.tsx';

/** The example's counterfactual, target and foil belong to the example's prompt alone. */
function setupOf(model: ModelSummary, prompt: string): Setup {
  const example = model.example?.prompt === prompt ? model.example : null;
  return {
    model: model.name,
    prompt,
    counterfactual: example?.counterfactual ?? null,
    position: null,
    target: example?.target ?? null,
    foil: example?.foil ?? null,
  };
}

interface StartFormProps {
  models: ModelSummary[];
  /** in which the person may make boards, first the one that is proposed */
  workspaces: { id: string; name: string }[];
}

export function StartForm({ models, workspaces }: StartFormProps) {
  const router = useRouter();
  const listens = useListens();
  const ready = models.filter((model) => model.hasTokenizer);
  const [name, setName] = useState((ready.find((model) => model.builtIn) ?? ready[0])?.name ?? '');
  const model = ready.find((one) => one.name === name);
  const [prompt, setPrompt] = useState(model?.example?.prompt ?? '');
  const [workspaceId, setWorkspaceId] = useState(workspaces[0]?.id);
  const [error, setError] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);

  if (!model) return <p className="text-sm">{strings.start.noModel}</p>;
  const example = model.example?.prompt === prompt ? model.example : null;

  const unravel = async () => {
    setBusy(true);
    setError(null);
    const body = { setup: setupOf(model, prompt), workspaceId };
    await request<{ id: string }>('/api/boards', { method: 'POST', body }).then(
      ({ id }) => router.push(`/boards/${id}`),
      (cause: unknown) => {
        setBusy(false);
        setError(lineOf(cause));
      },
    );
  };

  return (
    <form action={unravel} className="rounded-[3px] border border-line bg-paper p-4">
      <Field
        label={strings.start.prompt}
        error={error}
        hint={
          example ? (
            <>
              {example.note ? <span className="block">{example.note}</span> : null}
              {strings.start.compares} <TokenChip text={example.target} /> − <TokenChip text={example.foil} />
            </>
          ) : undefined
        }
      >
        {(control) => (
          <textarea
            {...control}
            rows={3}
            spellCheck={false}
            readOnly={!listens}
            value={prompt}
            onChange={(event) => setPrompt(event.target.value)}
            className="field font-mono text-sm"
          />
        )}
      </Field>
      <div className="mt-3 flex flex-wrap items-end gap-3">
        <Field label={strings.start.model} bare>
          {(control) => (
            <select
              {...control}
              value={name}
              onChange={(event) => {
                const next = ready.find((one) => one.name === event.target.value);
                if (next && prompt === (model.example?.prompt ?? '')) setPrompt(next.example?.prompt ?? '');
                setName(event.target.value);
              }}
              className="field w-auto py-1.5 text-sm"
            >
              {ready.map((one) => (
                <option key={one.name} value={one.name}>
                  {one.name}
                </option>
              ))}
            </select>
          )}
        </Field>
        {workspaces.length > 1 ? (
          <Field label={strings.start.workspace} bare>
            {(control) => (
              <select
                {...control}
                value={workspaceId}
                onChange={(event) => setWorkspaceId(event.target.value)}
                className="field w-auto max-w-56 py-1.5 text-sm"
              >
                {workspaces.map(({ id, name: title }) => (
                  <option key={id} value={id}>
                    {title}
                  </option>
                ))}
              </select>
            )}
          </Field>
        ) : null}
        <Button type="submit" tone="main" disabled={busy}>
          {busy ? strings.start.creating : strings.start.unravel}
        </Button>
      </div>
    </form>
  );
}
