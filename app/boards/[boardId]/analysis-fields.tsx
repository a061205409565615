'use client';
import { useState, type FormEvent } from 'react';
import { GRANULARITIES } from '@/lib/engine/index.ts';
import { visibleToken } from '@/lib/figures/numbers.ts';
import { Button } from '@/app/ui/button.tsx';
import { Field } from '@/app/ui/field.tsx';
import { strings } from '@/app/ui/strings.ts';
import { hintOf, type Analysis, type NameParameter, type Parameter } from './analyses.ts';
import { isWanted, type Faults, type FormValues, type SetValues } from './analysis-form.ts';
import { PromptSetFields } from './prompt-set-fields.tsx';

interface AnalysisFieldsProps {
  analysis: Analysis;
  values: FormValues;
  faults: Faults;
  busy: boolean;
  onChange: (values: FormValues) => void;
  onRun: () => void;
}

/** Exactly the settings that an analysis takes. What is wrong with them is said once somebody has tried to run it. */
export function AnalysisFields({ analysis, values, faults, busy, onChange, onRun }: AnalysisFieldsProps) {
  const [tried, setTried] = useState(false);
  const shown = tried ? faults : {};
  const parameters = analysis.parameters.filter((parameter) => isWanted(parameter, analysis, values));

  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    onRun();
  };

  return (
    <form
      aria-label={strings.analyses.form}
      onSubmit={submit}
      noValidate
      className="flex flex-wrap items-start gap-x-4 gap-y-2 border-b border-line p-3"
    >
      {values.setup ? <Elsewhere prompt={values.setup.prompt} onLeave={() => onChange({ ...values, setup: null })} /> : null}
      {analysis.asks === 'prompts' ? (
        <PromptSetFields
          part="prompts"
          set={values.prompts}
          fault={shown.prompts}
          onChange={(prompts) => onChange({ ...values, prompts })}
        />
      ) : null}
      {parameters.map((parameter) => (
        <ParameterField
          key={parameter}
          parameter={parameter}
          analysis={analysis}
          values={values}
          fault={shown[parameter]}
          onChange={onChange}
        />
      ))}
      <div className="basis-full">
        <Button type="submit" tone="main" disabled={busy}>
          {strings.analyses.run}
        </Button>
      </div>
    </form>
  );
}

/** The request of a link may be about another prompt than the one that the board has now. */
function Elsewhere({ prompt, onLeave }: { prompt: string; onLeave: () => void }) {
  return (
    <p className="flex basis-full flex-wrap items-center gap-2 text-xs text-soft" data-testid="elsewhere">
      <span className="break-words">{strings.analyses.elsewhere(visibleToken(prompt))}</span>
      <Button small onClick={onLeave}>
        {strings.analyses.ofBoard}
      </Button>
    </p>
  );
}

interface ParameterFieldProps {
  parameter: Parameter;
  analysis: Analysis;
  values: FormValues;
  fault: string | undefined;
  onChange: (values: FormValues) => void;
}

function ParameterField({ parameter, analysis, values, fault, onChange }: ParameterFieldProps) {
  const set = (value: string | boolean) => onChange({ ...values, [parameter]: value });
  switch (parameter) {
    case 'referencePrompts': {
      const change = (referencePrompts: SetValues) => onChange({ ...values, referencePrompts });
      return <PromptSetFields part={parameter} set={values[parameter]} fault={fault} onChange={change} />;
    }
    case 'allEdges':
    case 'together':
    case 'foldNorm':
      return <Flag label={labelOf(parameter, analysis)} checked={values[parameter]} onChange={set} />;
    case 'ablation':
    case 'granularity':
      return (
        <Choice label={labelOf(parameter, analysis)} value={values[parameter]} options={optionsOf(parameter, analysis)} onChange={set} />
      );
    case 'paths':
    case 'edges':
    case 'nodes':
    case 'ablate':
      return <Names parameter={parameter} analysis={analysis} value={values[parameter]} fault={fault} onChange={set} />;
    default:
      return (
        <Whole
          label={labelOf(parameter, analysis)}
          hint={hintOf(parameter, analysis.view)}
          value={values[parameter]}
          fault={fault}
          onChange={set}
        />
      );
  }
}

function labelOf(parameter: Parameter, { view }: Analysis): string {
  return strings.analyses.particular[view]?.[parameter] ?? strings.analyses.parameters[parameter];
}

function optionsOf(parameter: 'ablation' | 'granularity', { references }: Analysis): [string, string][] {
  return parameter === 'ablation'
    ? references.map((reference) => [reference, strings.analyses.references[reference]])
    : GRANULARITIES.map((granularity) => [granularity, strings.analyses.granularities[granularity]]);
}

interface NamesProps {
  parameter: NameParameter;
  analysis: Analysis;
  value: string;
  fault: string | undefined;
  onChange: (value: string) => void;
}

const LONG: readonly NameParameter[] = ['paths', 'edges'];

function Names({ parameter, analysis, value, fault, onChange }: NamesProps) {
  const isSingle = analysis.single.includes(parameter);
  const placeholder = strings.analyses.placeholders[parameter];
  const look = { value, placeholder, spellCheck: false, className: 'field font-mono text-xs' };
  return (
    <Field
      label={labelOf(parameter, analysis)}
      error={fault ?? null}
      hint={isSingle ? undefined : strings.analyses.hints['names']}
      className="min-w-48 grow basis-56"
    >
      {(control) =>
        LONG.includes(parameter) && !isSingle ? (
          <textarea {...control} {...look} rows={3} onChange={(event) => onChange(event.target.value)} />
        ) : (
          <input {...control} {...look} onChange={(event) => onChange(event.target.value)} />
        )
      }
    </Field>
  );
}

interface WholeProps {
  label: string;
  hint: string | undefined;
  value: string;
  fault: string | undefined;
  onChange: (value: string) => void;
}

function Whole({ label, hint, value, fault, onChange }: WholeProps) {
  return (
    <Field label={label} error={fault ?? null} hint={hint} className="max-w-44">
      {(control) => (
        <input
          {...control}
          inputMode="numeric"
          value={value}
          onChange={(event) => onChange(event.target.value)}
          className="field w-24 font-mono text-sm"
        />
      )}
    </Field>
  );
}

interface ChoiceProps {
  label: string;
  value: string;
  options: [string, string][];
  onChange: (value: string) => void;
}

function Choice({ label, value, options, onChange }: ChoiceProps) {
  return (
    <Field label={label}>
      {(control) => (
        <select {...control} value={value} onChange={(event) => onChange(event.target.value)} className="field w-auto text-sm">
          {options.map(([name, text]) => (
            <option key={name} value={name}>
              {text}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

function Flag({ label, checked, onChange }: { label: string; checked: boolean; onChange: (value: boolean) => void }) {
  return (
    <label className="flex items-center gap-1.5 self-center text-xs">
      <input type="checkbox" checked={checked} onChange={(event) => onChange(event.target.checked)} />
      {label}
    </label>
  );
}
