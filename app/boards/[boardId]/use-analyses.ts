'use client';
import { useState } from 'react';
import type { AnalyzeRequest } from '@/lib/engine/index.ts';
import type { AnalysisView } from './analyses.ts';
import type { FormValues } from './analysis-form.ts';
import type { Place } from './use-selection.ts';

/** The analyses of a board: which one is shown, what each was last asked, and the forms as they are filled in. */
export interface Analyses {
  view: AnalysisView;
  asked: object | null;
  /** null = as the request shown, or as at first */
  draft: FormValues | null;
  choose: (view: AnalysisView) => void;
  edit: (values: FormValues) => void;
  run: (request: AnalyzeRequest) => void;
  /** shows an analysis that is filled in but not run */
  open: (view: AnalysisView, values: FormValues) => void;
}

type PerView<T> = Partial<Record<AnalysisView, T>>;

export function useAnalyses({ analysis }: Place, setPlace: (change: (before: Place) => Place) => void): Analyses {
  const { view, asked } = analysis;
  const [drafts, setDrafts] = useState<PerView<FormValues>>({});
  const [earlier, setEarlier] = useState<PerView<object>>({});

  const draft = (of: AnalysisView, values: FormValues) => setDrafts((before) => ({ ...before, [of]: values }));
  const goTo = (next: AnalysisView, request: object | null) => {
    if (asked) setEarlier((before) => ({ ...before, [view]: asked }));
    setPlace((before) => ({ ...before, view: 'analyses', analysis: { view: next, asked: request } }));
  };

  return {
    view,
    asked,
    draft: drafts[view] ?? null,
    choose: (next) => goTo(next, next === view ? asked : (earlier[next] ?? null)),
    edit: (values) => draft(view, values),
    run: (request) => goTo(view, request),
    open: (next, values) => {
      draft(next, values);
      goTo(next, null);
    },
  };
}
