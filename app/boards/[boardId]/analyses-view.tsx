'use client';
import { KindBadge } from '@/app/ui/kind-badge.tsx';
import { strings } from '@/app/ui/strings.ts';
import { ANALYSIS_GROUPS, analysisOf, isAnalysisView, type AnalysisView } from './analyses.ts';
import { AnalysisPanel } from './analysis-panel.tsx';
import { useBoard } from './board-context.tsx';

/** Every analysis beside the trie: what there is, what it takes, and what came out. */
export function AnalysesView({ selection }: { selection: string | null }) {
  const { analyses } = useBoard();
  return (
    <div className="grid min-h-0 flex-1 content-start sm:grid-cols-[10.5rem_minmax(0,1fr)] sm:content-stretch">
      <AnalysisList current={analyses.view} onChoose={analyses.choose} />
      <AnalysisPanel key={analyses.view} analysis={analysisOf(analyses.view)} selection={selection} />
    </div>
  );
}

interface AnalysisListProps {
  current: AnalysisView;
  onChoose: (view: AnalysisView) => void;
}

/** A list where there is room for one, else a menu. */
function AnalysisList({ current, onChoose }: AnalysisListProps) {
  return (
    <>
      <nav aria-label={strings.analyses.list} className="hidden border-r border-line p-1.5 sm:block">
        <ul className="grid gap-3">
          {ANALYSIS_GROUPS.map(({ kind, views }) => (
            <li key={kind}>
              <p className="px-2 py-1" title={strings.kinds[kind]}>
                <KindBadge kind={kind} />
              </p>
              <ul>
                {views.map((view) => (
                  <li key={view}>
                    <button
                      type="button"
                      aria-current={view === current ? 'true' : undefined}
                      onClick={() => onChoose(view)}
                      className={`w-full rounded-[3px] px-2 py-0.5 text-left text-sm ${view === current ? 'bg-chosen font-semibold' : 'text-soft hover:bg-hover hover:text-ink'}`}
                    >
                      {strings.analyses.titles[view]}
                    </button>
                  </li>
                ))}
              </ul>
            </li>
          ))}
        </ul>
      </nav>
      <div className="border-b border-line p-2 sm:hidden">
        <select
          aria-label={strings.analyses.choose}
          value={current}
          onChange={(event) => isAnalysisView(event.target.value) && onChoose(event.target.value)}
          className="field text-sm"
        >
          {ANALYSIS_GROUPS.map(({ kind, views }) => (
            <optgroup key={kind} label={kind}>
              {views.map((view) => (
                <option key={view} value={view}>
                  {strings.analyses.titles[view]}
                </option>
              ))}
            </optgroup>
          ))}
        </select>
      </div>
    </>
  );
}
