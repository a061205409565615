'use client';
import { useRef, useState } from 'react';
import { degreeOf, parsePath, type AnalyzeRequest } from '@/lib/engine/index.ts';
import { isModelAnchor } from '@/lib/board/anchors.ts';
import {
  DEFAULTS,
  PATHS,
  SETTINGS,
  needsFlow,
  stepsOf,
  type Step,
  type StepRun,
  type Template,
  type TemplateSettings,
} from '@/lib/board/templates.ts';
import { verdictOf, type Verdict } from '@/lib/board/verdict.ts';
import type { Run } from '@/lib/wire.ts';
import { analyze, execute, type Progress } from '@/app/ui/analysis.ts';
import { lineOf } from '@/app/ui/request.ts';
import { causalRequestOf, requestOf } from '@/app/ui/setup-request.ts';
import { strings } from '@/app/ui/strings.ts';
import { attachEvidence, createClaim } from './attach-form.tsx';
import { useBoard } from './board-context.tsx';

/** Settings as they are typed; one that is missing has its default. */
export type TemplateDraft = Partial<Record<keyof TemplateSettings, string>>;
export type TemplateFaults = Partial<Record<keyof TemplateSettings, string>>;

/** One piece of evidence to be: its runs, and what its predicate says of them. */
export interface Judged {
  step: Step;
  runs: Run[];
  verdict: Verdict;
  note: string | null;
}

export interface TemplateRun {
  judged: Judged[] | null;
  /** the settings that were tried, as JSON */
  tried: string | null;
  busy: boolean;
  progress: Progress | null;
  error: string | null;
  preview: (settings: TemplateSettings) => Promise<void>;
  /** Makes the claim and attaches what was tried; whether it worked. */
  make: (settings: TemplateSettings, sentence: string) => Promise<boolean>;
  cancel: () => void;
}

/** Makes a template's runs, judges them, and makes the claim of them. */
export function useTemplateRun(template: Template): TemplateRun {
  const { boardId, setup, runs: kept } = useBoard();
  const [state, setState] = useState<Pick<TemplateRun, 'judged' | 'tried' | 'busy' | 'progress' | 'error'>>({
    judged: null,
    tried: null,
    busy: false,
    progress: null,
    error: null,
  });
  const abort = useRef<AbortController | null>(null);
  // A retry goes on with the claim that is there already.
  const made = useRef<{ claimId: string; attached: Set<string> } | null>(null);

  const preview = async (settings: TemplateSettings) => {
    abort.current = new AbortController();
    const { signal } = abort.current;
    const onProgress = (progress: Progress) => setState((before) => ({ ...before, progress }));
    setState({ judged: null, tried: null, busy: true, progress: null, error: null });
    try {
      const flow = needsFlow(template) ? await analyze(requestOf(setup, 'flow'), { signal, onProgress }) : null;
      const steps = stepsOf(template, settings, { hasCounterfactual: setup.counterfactual !== null, flow });
      const judged: Judged[] = [];
      for (const step of steps) {
        const runs: Run[] = [];
        for (const one of step.runs) {
          const run = await execute(boardId, requestFor(one), { signal, onProgress });
          kept.add(run);
          runs.push(run);
        }
        const verdict = verdictOf(
          step.predicate,
          runs.map(({ answer }) => answer),
        );
        judged.push({ step, runs, verdict, note: noteOf(step, settings) });
      }
      setState({ judged, tried: JSON.stringify(settings), busy: false, progress: null, error: null });
    } catch (error) {
      setState((before) => ({ ...before, busy: false, progress: null, error: lineOf(error) }));
    }
  };

  const requestFor = ({ view, options, reference }: StepRun): AnalyzeRequest =>
    reference ? causalRequestOf(setup, view, options) : requestOf(setup, view, options);

  const make = async (settings: TemplateSettings, sentence: string) => {
    const { judged } = state;
    if (!judged) return false;
    setState((before) => ({ ...before, busy: true, error: null }));
    try {
      const anchor = settings.paths.length === 1 ? settings.paths[0]! : null;
      made.current ??= { claimId: (await createClaim(boardId, anchor, sentence)).id, attached: new Set() };
      const { claimId, attached } = made.current;
      for (const { step, runs, note } of judged) {
        if (attached.has(step.name)) continue;
        const ids = runs.map(({ id }) => id);
        await attachEvidence(boardId, claimId, ids, step.predicate, {
          ...(step.beside && { beside: true }),
          ...(note !== null && { note }),
        });
        attached.add(step.name);
      }
      setState((before) => ({ ...before, busy: false }));
      return true;
    } catch (error) {
      setState((before) => ({ ...before, busy: false, error: lineOf(error) }));
      return false;
    }
  };

  return { ...state, preview, make, cancel: () => abort.current?.abort() };
}

function noteOf(step: Step, settings: TemplateSettings): string | null {
  const words = strings.templates.notes;
  switch (step.name) {
    case 'effect': {
      const others = (step.runs[0]?.options.paths?.length ?? 1) - 1;
      return words.baseline(others, degreeOf(parsePath(settings.paths[0]!)), settings.seed);
    }
    case 'scrub':
      return words.scrub;
    case 'identity':
      return words.identity;
    case 'naive':
      return words.naive;
    default:
      return null;
  }
}

/** Complete paths and suffixes among names. */
export function pathsIn(names: readonly string[]): string[] {
  return names.filter((name) => isModelAnchor(name) && name.endsWith('->logits'));
}

/** The settings of a draft, or what is wrong with which. */
export function readDraft(template: Template, draft: TemplateDraft): { settings: TemplateSettings } | { faults: TemplateFaults } {
  const settings = { ...DEFAULTS[template] };
  const faults: TemplateFaults = {};
  const words = strings.templates.faults;
  for (const name of SETTINGS[template]) {
    if (name === 'paths') {
      const paths = [...new Set((draft.paths ?? '').split(/[\s,]+/).filter((one) => one !== ''))];
      const [least, most] = PATHS[template] ?? [0, 0];
      const wrong = paths.find((one) => pathsIn([one]).length === 0);
      if (wrong !== undefined) faults.paths = words.path(wrong);
      else if (paths.length < least || paths.length > most) faults.paths = words.paths(least, most, paths.length);
      settings.paths = paths;
      continue;
    }
    const value = Number(draft[name] ?? settings[name]);
    const whole = name === 'degree' || name === 'count' || name === 'seed';
    if (draft[name]?.trim() === '' || !Number.isFinite(value) || value < 0 || (whole && !Number.isSafeInteger(value))) {
      faults[name] = whole ? words.whole : words.number;
    } else if (name === 'count' && (value < 10 || value > 1000)) faults.count = words.count;
    settings[name] = value;
  }
  return Object.keys(faults).length > 0 ? { faults } : { settings };
}
