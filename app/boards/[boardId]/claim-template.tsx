'use client';
import { useState } from 'react';
import { readAnchor } from '@/lib/board/anchors.ts';
import { readGroups } from '@/lib/board/board-doc.ts';
import { DEFAULTS, PATHS, SETTINGS, TEMPLATES, type Template } from '@/lib/board/templates.ts';
import { Button } from '@/app/ui/button.tsx';
import { Fault, Field } from '@/app/ui/field.tsx';
import { KindBadge } from '@/app/ui/kind-badge.tsx';
import { ProgressLine } from '@/app/ui/progress-line.tsx';
import { strings } from '@/app/ui/strings.ts';
import { formatValue } from '@/lib/figures/numbers.ts';
import { printTest } from '@/lib/board/predicate.ts';
import { useBoard } from './board-context.tsx';
import { Pedigree } from './pedigree.tsx';
import { TemplateFields } from './template-fields.tsx';
import { pathsIn, readDraft, useTemplateRun, type Judged, type TemplateDraft } from './use-template-run.ts';
import { VerdictSign } from './verdict-mark.tsx';

const words = strings.templates;

/** A claim that makes its runs and its predicates by itself: chosen, tried, then made. */
export function ClaimTemplate() {
  const { may, selection, session, setup } = useBoard();
  const [template, setTemplate] = useState<Template | null>(null);
  const [draft, setDraft] = useState<TemplateDraft>({});

  if (!may('board.evidence') || !may('board.comment')) return null;
  const choose = (next: Template | null) => {
    setTemplate(next);
    if (next === null) return;
    const anchor = selection === null ? null : readAnchor(selection);
    const group = anchor?.kind === 'group' ? readGroups(session.boardDoc).records.find(({ id }) => id === anchor.id) : undefined;
    const paths = group ? pathsIn(group.members) : selection !== null ? pathsIn([selection]) : [];
    setDraft({ paths: paths.slice(0, PATHS[next]?.[1] ?? 0).join('\n') });
  };

  return (
    <>
      {/* Stays while the form is there: by keyboard, each press of an arrow chooses. */}
      <label className="flex flex-wrap items-center gap-2 text-xs text-soft">
        {words.choose}
        <select
          value={template ?? ''}
          onChange={(event) => choose(TEMPLATES.find((one) => one === event.target.value) ?? null)}
          className="max-w-full rounded-[3px] border border-strong bg-paper px-1 py-1 text-sm text-ink"
        >
          <option value="">{words.none}</option>
          {TEMPLATES.map((one) => (
            <option key={one} value={one}>
              {words.titles[one]}
            </option>
          ))}
        </select>
      </label>
      {template === null ? null : (
        <TemplateForm
          // Another question of the board is another trial.
          key={`${template} ${JSON.stringify(setup)}`}
          template={template}
          draft={draft}
          onDraft={setDraft}
          onDone={() => setTemplate(null)}
        />
      )}
    </>
  );
}

interface TemplateFormProps {
  template: Template;
  draft: TemplateDraft;
  onDraft: (draft: TemplateDraft) => void;
  onDone: () => void;
}

function TemplateForm({ template, draft, onDraft, onDone }: TemplateFormProps) {
  const { setup } = useBoard();
  const outcome = readDraft(template, draft);
  const state = useTemplateRun(template);
  const [sentence, setSentence] = useState<string | null>(null);
  const settings = 'settings' in outcome ? outcome.settings : null;
  const proposed = settings ? words.sentences[template](settings) : '';
  const text = sentence ?? proposed;
  const isTried = settings !== null && state.tried === JSON.stringify(settings);

  const make = async () => {
    if (settings && (await state.make(settings, text))) onDone();
  };

  return (
    <section aria-label={words.titles[template]} className="grid gap-3 rounded-[3px] border border-strong bg-paper p-3">
      <div>
        <h3 className="text-sm font-semibold">{words.titles[template]}</h3>
        <p className="text-xs text-soft">{words.meanings[template]}</p>
        {template === 'explain' && setup.counterfactual === null ? <p className="text-xs text-soft">{words.noCounterfactual}</p> : null}
      </div>
      <TemplateFields
        settings={SETTINGS[template]}
        units={words.units[template] ?? {}}
        defaults={DEFAULTS[template]}
        draft={draft}
        faults={'faults' in outcome ? outcome.faults : {}}
        onDraft={onDraft}
      />
      <Field label={strings.claims.sentence}>
        {(control) => (
          <textarea
            {...control}
            rows={2}
            maxLength={500}
            value={text}
            onChange={(event) => setSentence(event.target.value)}
            className="field text-sm"
          />
        )}
      </Field>
      {state.judged && isTried ? <Preview judged={state.judged} /> : null}
      {state.error ? <Fault>{state.error}</Fault> : null}
      <div className="flex flex-wrap items-center gap-2">
        <Button small disabled={state.busy || settings === null} onClick={() => settings && void state.preview(settings)}>
          {words.preview}
        </Button>
        <Button small tone="main" disabled={state.busy || !isTried || text.trim() === ''} onClick={() => void make()}>
          {words.make}
        </Button>
        <Button small onClick={onDone}>
          {strings.common.cancel}
        </Button>
        {state.busy ? <ProgressLine progress={state.progress} onCancel={state.cancel} /> : null}
      </div>
    </section>
  );
}

/** What came out, before anybody else sees it. */
function Preview({ judged }: { judged: readonly Judged[] }) {
  return (
    <ul aria-label={words.previewed} className="grid gap-2">
      {judged.map(({ step, runs, verdict, note }) => (
        <li
          key={step.name}
          data-step={step.name}
          className={`rounded-[3px] border border-line p-2 text-sm ${step.beside ? 'border-dashed' : 'bg-ground'}`}
        >
          <p className="flex flex-wrap items-center gap-2">
            <KindBadge kind={runs[0]!.answer.kind} />
            {step.beside ? <span className="text-xs font-medium">{strings.evidence.beside}</span> : null}
            <span className="text-soft">{words.steps[step.name]}</span>
            <VerdictSign value={verdict.value} />
          </p>
          <ul className="mt-1 grid gap-0.5 text-xs">
            {verdict.tests.map(({ test, left, why, value }) => (
              <li key={printTest(test)} className="flex flex-wrap items-baseline gap-x-2" data-verdict-of={value}>
                <span className="name">{printTest(test)}</span>
                {left === null ? <span className="text-soft">{why}</span> : <b className="font-mono">{formatValue(left)}</b>}
              </li>
            ))}
          </ul>
          {note ? <p className="mt-1 text-xs text-soft">{note}</p> : null}
          {runs.map((run) => (
            <Pedigree key={run.id} answer={run.answer} />
          ))}
        </li>
      ))}
    </ul>
  );
}
