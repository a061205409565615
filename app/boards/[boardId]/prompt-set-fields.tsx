'use client';
import { useRef, useState, type ChangeEvent } from 'react';
import { GENERATORS, type Generator } from '@/lib/engine/index.ts';
import { Button } from '@/app/ui/button.tsx';
import { Fault, Field } from '@/app/ui/field.tsx';
import { strings } from '@/app/ui/strings.ts';
import type { SetValues } from './analysis-form.ts';

interface PromptSetFieldsProps {
  part: 'prompts' | 'referencePrompts';
  set: SetValues;
  fault: string | undefined;
  onChange: (set: SetValues) => void;
}

const SOURCES = ['own', 'generator', 'examples'] as const;
const NAME_LENGTH = 200;

/** Where prompts come from: one that is there already, a generator, or lines of JSON. */
export function PromptSetFields({ part, set, fault, onChange }: PromptSetFieldsProps) {
  return (
    <fieldset className="flex min-w-0 flex-wrap items-start gap-x-4 gap-y-2" data-part={part}>
      <legend className="sr-only">{strings.analyses.parameters[part]}</legend>
      <Field label={strings.analyses.parameters[part]} error={set.source === 'own' ? (fault ?? null) : null}>
        {(control) => (
          <select
            {...control}
            value={set.source}
            onChange={(event) => onChange({ ...set, source: event.target.value as SetValues['source'] })}
            className="field w-auto text-sm"
          >
            {SOURCES.map((source) => (
              <option key={source} value={source}>
                {strings.analyses.sources[part][source]}
              </option>
            ))}
          </select>
        )}
      </Field>
      {set.source === 'generator' ? <Generated set={set} fault={fault} onChange={onChange} /> : null}
      {set.source === 'examples' ? <Lines set={set} fault={fault} onChange={onChange} /> : null}
    </fieldset>
  );
}

type PartProps = Omit<PromptSetFieldsProps, 'part'>;

function Generated({ set, fault, onChange }: PartProps) {
  return (
    <>
      <Field label={strings.analyses.set.generator}>
        {(control) => (
          <select
            {...control}
            value={set.generator}
            onChange={(event) => onChange({ ...set, generator: event.target.value as Generator })}
            className="field w-auto text-sm"
          >
            {GENERATORS.map((generator) => (
              <option key={generator} value={generator}>
                {strings.analyses.generators[generator]}
              </option>
            ))}
          </select>
        )}
      </Field>
      <Field label={strings.analyses.set.count} error={fault ?? null}>
        {(control) => (
          <input
            {...control}
            inputMode="numeric"
            value={set.count}
            onChange={(event) => onChange({ ...set, count: event.target.value })}
            className="field w-20 font-mono text-sm"
          />
        )}
      </Field>
      <Field label={strings.analyses.set.seed}>
        {(control) => (
          <input
            {...control}
            inputMode="numeric"
            value={set.seed}
            onChange={(event) => onChange({ ...set, seed: event.target.value })}
            className="field w-20 font-mono text-sm"
          />
        )}
      </Field>
    </>
  );
}

function Lines({ set, fault, onChange }: PartProps) {
  const file = useRef<HTMLInputElement>(null);
  const [failed, setFailed] = useState<string | null>(null);

  const load = async (event: ChangeEvent<HTMLInputElement>) => {
    const chosen = event.target.files?.[0];
    if (!chosen) return;
    await chosen.text().then(
      (lines) => {
        setFailed(null);
        onChange({ ...set, lines, name: chosen.name.slice(0, NAME_LENGTH) });
      },
      (cause: unknown) => setFailed(String(cause)),
    );
    event.target.value = '';
  };

  return (
    <Field
      label={strings.analyses.set.lines}
      error={fault ?? null}
      hint={strings.analyses.set.linesHint}
      className="min-w-56 grow basis-80"
    >
      {(control) => (
        <>
          <textarea
            {...control}
            rows={4}
            value={set.lines}
            placeholder={strings.analyses.set.linesPlaceholder}
            spellCheck={false}
            onChange={(event) => onChange({ ...set, lines: event.target.value, name: strings.analyses.set.name })}
            className="field font-mono text-xs"
          />
          <input
            ref={file}
            type="file"
            accept=".jsonl,.ndjson,.json,.txt"
            onChange={load}
            aria-label={strings.analyses.set.load}
            tabIndex={-1}
            className="hidden"
          />
          <Button small onClick={() => file.current?.click()}>
            {strings.analyses.set.load}
          </Button>
          {failed ? <Fault>{failed}</Fault> : null}
        </>
      )}
    </Field>
  );
}
