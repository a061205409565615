'use client';
import { useState, type FormEvent } from 'react';
import { setSetup } from '@/lib/board/board-doc.ts';
import type { Setup } from '@/lib/wire.ts';
import { Button } from '@/app/ui/button.tsx';
import { Fault, Field } from '@/app/ui/field.tsx';
import { RequestFailure, lineOf } from '@/app/ui/request.ts';
import { strings } from '@/app/ui/strings.ts';
import { useBoard } from './board-context.tsx';
import { checkSetup } from '@/app/ui/check-setup.ts';
import { useTokenCount } from './use-token-count.ts';

interface PromptFault {
  field: 'prompt' | 'counterfactual' | 'form';
  line: string;
}

function faultOf(error: unknown): PromptFault {
  const line = lineOf(error) ?? '';
  const where = error instanceof RequestFailure ? (error.where ?? line) : '';
  if (/^counterfactual/i.test(where)) return { field: 'counterfactual', line };
  return { field: /^(prompt|tokens)/i.test(where) ? 'prompt' : 'form', line };
}

/** Another prompt starts afresh at its last position; another counterfactual alone leaves the rest as it is. */
function setupOf(setup: Setup, prompt: string, counterfactual: string): Setup {
  const next = { ...setup, prompt, counterfactual: counterfactual === '' ? null : counterfactual };
  return prompt === setup.prompt ? next : { ...next, position: null, target: null, foil: null };
}

export function PromptForm({ onDone }: { onDone: () => void }) {
  const { session, setup } = useBoard();
  const [prompt, setPrompt] = useState(setup.prompt);
  const [counterfactual, setCounterfactual] = useState(setup.counterfactual ?? '');
  const [fault, setFault] = useState<PromptFault | null>(null);
  const [busy, setBusy] = useState(false);
  const promptTokens = useTokenCount(setup.model, prompt);
  const counterfactualTokens = useTokenCount(setup.model, counterfactual);

  const apply = async (event: FormEvent) => {
    event.preventDefault();
    const next = setupOf(setup, prompt, counterfactual);
    setBusy(true);
    const failed = await checkSetup(next).then(() => null, faultOf);
    setBusy(false);
    setFault(failed);
    if (failed) return;
    setSetup(session.boardDoc, next);
    onDone();
  };

  const count = (tokens: number | null) => (tokens === null ? undefined : strings.setup.tokens(tokens));
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- Escape in any of its fields
    <form
      aria-label={strings.setup.editPrompt}
      onSubmit={apply}
      onKeyDown={(event) => event.key === 'Escape' && onDone()}
      className="grid gap-3 p-3 sm:grid-cols-2"
    >
      <Field label={strings.setup.prompt} error={fault?.field === 'prompt' ? fault.line : null} hint={count(promptTokens)}>
        {(control) => (
          <textarea
            {...control}
            rows={2}
            value={prompt}
            onChange={(event) => setPrompt(event.target.value)}
            className="field font-mono text-sm"
            autoFocus
            spellCheck={false}
          />
        )}
      </Field>
      <Field
        label={strings.setup.counterfactualLong}
        error={fault?.field === 'counterfactual' ? fault.line : null}
        hint={counterfactual === '' ? strings.setup.counterfactualHint : count(counterfactualTokens)}
      >
        {(control) => (
          <textarea
            {...control}
            rows={2}
            value={counterfactual}
            onChange={(event) => setCounterfactual(event.target.value)}
            className="field font-mono text-sm"
            spellCheck={false}
          />
        )}
      </Field>
      <div className="flex items-center gap-2 sm:col-span-2">
        <Button type="submit" tone="main" disabled={busy}>
          {strings.setup.apply}
        </Button>
        <Button onClick={onDone}>{strings.common.cancel}</Button>
        <span className="text-xs text-soft">{strings.setup.shared}</span>
        {fault?.field === 'form' ? <Fault>{fault.line}</Fault> : null}
      </div>
    </form>
  );
}
