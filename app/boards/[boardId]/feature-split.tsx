'use client';
import { featureAnchor } from '@/lib/board/anchors.ts';
import { readLabels } from '@/lib/board/board-doc.ts';
import { featurePartOf, pathThrough } from '@/lib/board/feature-paths.ts';
import type { Answer, Term } from '@/lib/engine/index.ts';
import { columnsOf } from '@/lib/figures/columns.ts';
import { csvOf, fileStem, tableText } from '@/lib/figures/csv.ts';
import { formatError, formatSigned, formatValue } from '@/lib/figures/numbers.ts';
import type { DictionarySummary } from '@/lib/wire.ts';
import { Button } from '@/app/ui/button.tsx';
import { ExportBar } from '@/app/ui/export-bar.tsx';
import { Fault } from '@/app/ui/field.tsx';
import { KindBadge } from '@/app/ui/kind-badge.tsx';
import { Section } from '@/app/ui/section.tsx';
import { requestOf } from '@/app/ui/setup-request.ts';
import { SignedBar } from '@/app/ui/signed-bar.tsx';
import { strings } from '@/app/ui/strings.ts';
import { AnswerWait } from './answer-wait.tsx';
import { useBoard } from './board-context.tsx';
import { Pedigree } from './pedigree.tsx';
import { useAnswer } from './use-answer.ts';
import { useDictionaries } from './use-dictionaries.ts';
import { useLive } from './use-live.ts';

const LISTED = 10;
const PAUSE_MS = 150;

/** What is selected, split over the features of a dictionary that it goes through [D3]; nothing where it goes through none. */
export function FeatureSplit({ anchor }: { anchor: string }) {
  const { settings, set } = useBoard();
  const dictionaries = useDictionaries();
  const words = strings.features;
  const fitting = (dictionaries.value ?? []).filter((one) => pathThrough(one, anchor) !== null);
  if (dictionaries.error !== null) {
    return (
      <Section title={words.title}>
        <Fault>{`${words.unlisted} ${dictionaries.error}`}</Fault>
        <Button small className="mt-2" onClick={dictionaries.reload}>
          {strings.common.tryAgain}
        </Button>
      </Section>
    );
  }
  if (fitting.length === 0) return null;
  const chosen = fitting.find(({ hash }) => hash.startsWith(settings['inspector.dictionary'] ?? ' '));
  return (
    <Section title={words.title}>
      <select
        aria-label={words.dictionary}
        value={chosen?.hash ?? ''}
        onChange={(event) => set('inspector.dictionary', event.target.value === '' ? null : event.target.value.slice(0, 8))}
        className="field text-xs"
      >
        <option value="">{words.choose}</option>
        {fitting.map((one) => (
          <option key={one.hash} value={one.hash}>
            {words.option(one.name, words.at(words.places[one.kind], one.hookOut ?? one.hook), one.width)}
          </option>
        ))}
      </select>
      {chosen ? <Split key={chosen.hash} dictionary={chosen} anchor={anchor} /> : <p className="mt-1.5 text-xs text-soft">{words.hint}</p>}
    </Section>
  );
}

function Split({ dictionary, anchor }: { dictionary: DictionarySummary; anchor: string }) {
  const { setup } = useBoard();
  const path = pathThrough(dictionary, anchor)!;
  const more = { dictionaries: [dictionary.hash], top: LISTED, ...(path === '' ? {} : { paths: [path] }) };
  const state = useAnswer(requestOf(setup, 'features', more), PAUSE_MS);
  const answer = state.stale ? null : state.answer;
  return (
    <div className="mt-2">
      {answer ? <FeatureTable answer={answer} dictionary={dictionary} path={path} /> : <AnswerWait state={state} />}
    </div>
  );
}

function FeatureTable({ answer, dictionary, path }: { answer: Answer; dictionary: DictionarySummary; path: string }) {
  const words = strings.features;
  const own = answer.terms.filter(({ name }) => isFeature(name));
  const rest = answer.terms.filter(({ name }) => !isFeature(name) && featurePartOf(name) !== null);
  // Without a path, the nodes that the dictionary does not explain are parts of the metric, too.
  const nodes = answer.terms.filter(({ name }) => featurePartOf(name) === null);
  const others = nodes.reduce((sum, { value }) => sum + value!, answer.remainder ?? 0);
  const scale = [...answer.terms.map(({ value }) => Math.abs(value!)), Math.abs(others)].reduce((most, value) => Math.max(most, value), 0);
  const whole = answer.whole?.value ?? answer.metric ?? Number.NaN;
  const beginsThere = answer.whole !== undefined && answer.whole.name !== path;
  return (
    <>
      <table className="w-full table-fixed text-xs" data-testid="features">
        <caption className="mb-1 text-left text-soft">
          <span className="inline-flex flex-wrap items-center gap-2">
            {words.table(own.length)} <KindBadge kind="identity" />
          </span>
        </caption>
        <thead className="sr-only">
          <tr>
            <th scope="col">{words.columns.name}</th>
            <th scope="col">{words.columns.bar}</th>
            <th scope="col">{words.columns.value}</th>
          </tr>
        </thead>
        <tbody>
          {own.map((term) => (
            <FeatureRow key={term.name} term={term} dictionary={dictionary} path={path} scale={scale} />
          ))}
          {rest.map(({ name, value }) => {
            const part = featurePartOf(name)!;
            return <OtherRow key={name} name={part.endsWith('.b') ? words.bias : words.error} part={part} value={value!} scale={scale} />;
          })}
          <OtherRow name={path === '' ? words.othersOfMetric : words.others} part="others" value={others} scale={scale} />
        </tbody>
        <tfoot>
          <tr className="border-t border-line">
            <th scope="row" colSpan={2} className="py-1 text-left font-medium">
              {words.sum} <span className="font-normal text-soft">{answer.whole ? words.of(answer.whole.name) : words.ofMetric}</span>
            </th>
            <td className="py-1 text-right font-mono font-medium" data-testid="features-sum" data-exact={answer.sum} data-whole={whole}>
              {formatSigned(answer.sum!)}
            </td>
          </tr>
        </tfoot>
      </table>
      <p className="mt-1 text-2xs text-soft">
        {words.identity(formatError(answer.error ?? Number.NaN))}
        {'. '}
        {words.held} {beginsThere && dictionary.kind !== 'residual' ? words.ownBias(`m${dictionary.layer}`) : null}
      </p>
      <ExportBar
        what={words.export}
        file={fileStem(answer)}
        text={() => tableText(columnsOf(answer), answer.terms)}
        csv={() => csvOf(answer)}
      />
      <Pedigree answer={answer} />
    </>
  );
}

function isFeature(name: string): boolean {
  return /^f\d+\.\d+$/.test(featurePartOf(name) ?? '');
}

interface FeatureRowProps {
  term: Term;
  dictionary: DictionarySummary;
  path: string;
  scale: number;
}

function FeatureRow({ term, dictionary, path, scale }: FeatureRowProps) {
  const { session, select, set } = useBoard();
  const part = featurePartOf(term.name)!;
  const anchor = featureAnchor(part, dictionary.hash);
  const labels = useLive(session.boardDoc, readLabels).records.filter((label) => label.anchor === anchor);
  return (
    <tr data-feature={part} className="hover:bg-hover">
      <th scope="row" className="text-left font-normal">
        <span className="flex min-w-0 items-center gap-1">
          <button
            type="button"
            title={`${strings.features.columns.activation} ${formatValue(term.activation ?? 0)}`}
            onClick={() => {
              set('inspector.path', path === '' ? null : path);
              select(anchor);
            }}
            className="min-h-6 shrink-0 rounded-[2px] font-mono underline decoration-dotted underline-offset-2"
          >
            {part}
          </button>
          {labels.map(({ id, text }) => (
            <span key={id} className="truncate rounded-full border border-strong bg-paper px-1 text-2xs">
              {text}
            </span>
          ))}
        </span>
      </th>
      <td className="w-16 px-1">
        <SignedBar value={term.value!} scale={scale} />
      </td>
      <td className="w-16 text-right font-mono" data-exact={term.value}>
        {formatSigned(term.value!)}
      </td>
    </tr>
  );
}

function OtherRow({ name, part, value, scale }: { name: string; part: string; value: number; scale: number }) {
  return (
    <tr data-feature={part} className="text-soft">
      <th scope="row" className="h-6 text-left font-normal">
        {name}
      </th>
      <td className="w-16 px-1">
        <SignedBar value={value} scale={scale} />
      </td>
      <td className="w-16 text-right font-mono" data-exact={value}>
        {formatSigned(value)}
      </td>
    </tr>
  );
}
