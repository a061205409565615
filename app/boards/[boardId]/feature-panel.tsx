'use client';
import { useEffect, useState, type Ref } from 'react';
import { featureAnchor, isModelAnchor, type Anchor } from '@/lib/board/anchors.ts';
import { directPathOf, featurePartOf, isWriterFor, pathThrough } from '@/lib/board/feature-paths.ts';
import { isFeatureName, type Answer, type Term } from '@/lib/engine/index.ts';
import { columnsOf } from '@/lib/figures/columns.ts';
import { csvOf, fileStem, tableText } from '@/lib/figures/csv.ts';
import { formatError, formatSigned, formatValue } from '@/lib/figures/numbers.ts';
import type { DictionarySummary } from '@/lib/wire.ts';
import { ExportBar } from '@/app/ui/export-bar.tsx';
import { Fault } from '@/app/ui/field.tsx';
import { KindBadge } from '@/app/ui/kind-badge.tsx';
import { Section } from '@/app/ui/section.tsx';
import { requestOf } from '@/app/ui/setup-request.ts';
import { strings } from '@/app/ui/strings.ts';
import { TokenChip } from '@/app/ui/token-chip.tsx';
import { AnswerWait } from './answer-wait.tsx';
import { useBoard } from './board-context.tsx';
import { ClaimsAbout } from './claims-about.tsx';
import { FeatureTest } from './feature-test.tsx';
import { LabelEditor } from './label-editor.tsx';
import { NumberLine } from './number-lines.tsx';
import { Pedigree } from './pedigree.tsx';
import { ThreadPanel } from './thread-panel.tsx';
import { useAnswer } from './use-answer.ts';
import { useDictionaries } from './use-dictionaries.ts';
import { ValueList, type ListedValue } from './value-list.tsx';

const PAUSE_MS = 150;
const EDGES = 12;
const TOKENS = 8;
const POSITIONS = 6;

interface FeaturePanelProps {
  anchor: string;
  read: Extract<Anchor, { kind: 'feature' }>;
  label: Ref<HTMLInputElement>;
  comment: Ref<HTMLTextAreaElement>;
}

/** A feature of a sparse dictionary: labels, what it adds, where it is active, what it reads, what it writes, a test, a thread. */
export function FeaturePanel({ anchor, read, label, comment }: FeaturePanelProps) {
  return (
    <>
      <LabelEditor ref={label} anchor={anchor} />
      <FeatureNumbers anchor={anchor} read={read} />
      <ThreadPanel ref={comment} anchor={anchor} title={strings.thread.title} />
      <ClaimsAbout anchor={anchor} />
    </>
  );
}

function FeatureNumbers({ anchor, read }: Pick<FeaturePanelProps, 'anchor' | 'read'>) {
  const { select, settings } = useBoard();
  const dictionaries = useDictionaries();
  const words = strings.feature;
  if (dictionaries.error !== null) {
    return (
      <Section title={words.numbers}>
        <Fault>{dictionaries.error}</Fault>
      </Section>
    );
  }
  if (dictionaries.value === null) return null;
  const ofLayer = dictionaries.value.filter(({ layer, width }) => layer === read.layer && read.feature < width);
  const dictionary = read.dictionary === null ? onlyOf(ofLayer) : ofLayer.find(({ hash }) => hash.startsWith(read.dictionary!));
  if (!dictionary) {
    return (
      <Section title={words.numbers}>
        <p className="text-xs text-soft">{read.dictionary !== null ? words.unknown : ofLayer.length === 0 ? words.none : words.several}</p>
        <ul className="mt-1 grid gap-1">
          {(read.dictionary === null ? ofLayer : []).map(({ name, hash }) => (
            <li key={hash}>
              <button
                type="button"
                onClick={() => select(featureAnchor(read.name, hash))}
                className="min-h-6 font-mono text-xs underline decoration-dotted underline-offset-2"
              >
                {name}
              </button>
            </li>
          ))}
        </ul>
      </Section>
    );
  }
  if (read.dictionary === null) return <Qualified anchor={featureAnchor(read.name, dictionary.hash)} />;
  const path = pathThrough(dictionary, settings['inspector.path'] ?? '') ?? directPathOf(dictionary);
  const writers = dictionaries.value.filter((one) => isWriterFor(one, dictionary));
  return (
    <>
      <Worth dictionary={dictionary} name={read.name} path={path} />
      <Edges dictionary={dictionary} name={read.name} path={path} writers={writers} />
      <Tokens dictionary={dictionary} name={read.name} />
      <FeatureTest anchor={anchor} dictionary={dictionary} name={read.name} />
    </>
  );
}

/** A name without its dictionary, as people write it, leads to the feature of the only one that it can be of. */
function Qualified({ anchor }: { anchor: string }) {
  const { select } = useBoard();
  useEffect(() => select(anchor), [anchor, select]);
  return null;
}

function onlyOf(dictionaries: readonly DictionarySummary[]): DictionarySummary | undefined {
  return dictionaries.length === 1 ? dictionaries[0] : undefined;
}

interface PartProps {
  dictionary: DictionarySummary;
  name: string;
}

const along = (path: string) => (path === '' ? {} : { paths: [path] });

/** What it adds along the path, and where in the prompt it is active. */
function Worth({ dictionary, name, path }: PartProps & { path: string }) {
  const { setup } = useBoard();
  const words = strings.feature;
  const more = { dictionaries: [dictionary.hash], nodes: [name], byToken: true, ...along(path) };
  const state = useAnswer(requestOf(setup, 'features', more), PAUSE_MS);
  const answer = state.stale ? null : state.answer;
  const term = answer?.terms.find((one) => featurePartOf(one.name) === name);
  return (
    <Section title={words.numbers}>
      <p className="mb-1 text-2xs text-soft">{words.of(dictionary.name, dictionary.hookOut ?? dictionary.hook)}</p>
      {answer && term ? (
        <>
          <NumberLine
            name={path === '' ? words.toLogits : `${words.direct} ${term.name}`}
            kind="identity"
            value={term.value!}
            whole={answer.metric}
            testId="feature-value"
          />
          <Positions term={term} answer={answer} />
          <Pedigree answer={answer} />
        </>
      ) : (
        <AnswerWait state={state} />
      )}
    </Section>
  );
}

function Positions({ term, answer }: { term: Term; answer: Answer }) {
  const words = strings.feature;
  const places = (term.activations ?? []).map((activation, token) => ({ activation, token, value: term.byToken?.[token] ?? 0 }));
  const active = places.filter(({ activation }) => activation > 0).toSorted((a, b) => b.activation - a.activation);
  if (active.length === 0) return <p className="mt-1 text-xs text-soft">{words.inactive}</p>;
  const shown = active.slice(0, POSITIONS);
  const most = shown[0]!.activation;
  return (
    <div className="mt-2">
      <h4 className="text-xs text-soft">{words.positions}</h4>
      <p className="mb-1 text-2xs text-soft">{words.positionsOf(shown.length)}</p>
      <ul className="grid gap-px" data-testid="feature-positions">
        {shown.map(({ activation, token, value }) => (
          <li key={token} className="grid grid-cols-[1.5rem_minmax(0,6rem)_1fr_3.5rem_4rem] items-center gap-2 text-xs" data-token={token}>
            <span className="text-right font-mono text-2xs text-soft">{token}</span>
            <TokenChip text={answer.tokenTexts?.[token] ?? String(answer.tokens[token] ?? '')} className="justify-self-start truncate" />
            <span aria-hidden="true" className="block h-2 bg-strong" style={{ width: `max(1px, ${(100 * activation) / most}%)` }} />
            <span className="text-right font-mono">{formatValue(activation)}</span>
            <span className="text-right font-mono">{formatSigned(value)}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** What it reads along the path [D4]; earlier nodes split over another dictionary's features where one is chosen. */
function Edges({ dictionary, name, path, writers }: PartProps & { path: string; writers: readonly DictionarySummary[] }) {
  const { setup } = useBoard();
  const [writer, setWriter] = useState('');
  const words = strings.feature;
  const split = writers.find(({ hash }) => hash === writer);
  const hashes = [...(split ? [split.hash] : []), dictionary.hash];
  const state = useAnswer(requestOf(setup, 'feature-edges', { dictionaries: hashes, nodes: [name], top: EDGES, ...along(path) }), PAUSE_MS);
  const answer = state.stale ? null : state.answer;
  return (
    <Section title={words.edges}>
      <p className="mb-1.5 text-2xs text-soft">
        {words.edgesMeaning} {path === '' ? null : words.through(path)}
      </p>
      {writers.length > 0 ? (
        <label className="mb-1.5 flex flex-wrap items-center gap-1.5 text-xs text-soft">
          {words.writers}
          <select
            value={writer}
            onChange={(event) => setWriter(event.target.value)}
            className="min-w-0 rounded-[3px] border border-strong bg-paper px-1 py-0.5 text-ink"
          >
            <option value="">{words.noWriters}</option>
            {writers.map((one) => (
              <option key={one.hash} value={one.hash}>
                {one.name}
              </option>
            ))}
          </select>
        </label>
      ) : null}
      {answer ? (
        <div data-testid="feature-edges">
          <ValueList label={words.edges} values={edgesOf(answer, name, split ?? null)} />
          <p className="mt-1 text-2xs text-soft" data-testid="feature-edges-sum" data-exact={answer.sum} data-whole={answer.whole?.value}>
            <KindBadge kind="identity" /> {strings.parts.units.sum(formatSigned(answer.sum!), formatError(answer.error ?? Number.NaN))}
          </p>
          <ExportBar
            what={words.edgesExport}
            file={`${fileStem(answer)}-${name}`}
            text={() => tableText(columnsOf(answer), answer.terms)}
            csv={() => csvOf(answer)}
          />
          <Pedigree answer={answer} />
        </div>
      ) : (
        <AnswerWait state={state} />
      )}
    </Section>
  );
}

function edgesOf({ terms, remainder }: Answer, name: string, split: DictionarySummary | null): ListedValue[] {
  const listed = terms.map((term): ListedValue => {
    const from = term.name.slice(0, -`->${name}`.length);
    const shown = term.weight === undefined ? from : `${from} · ${strings.feature.weight(formatSigned(term.weight))}`;
    return { name: shown, value: term.value!, anchor: anchorOf(from, split) };
  });
  return remainder ? [...listed, { name: strings.feature.others, value: remainder, anchor: null }] : listed;
}

function anchorOf(from: string, split: DictionarySummary | null): string | null {
  if (isModelAnchor(from)) return from;
  return split && isFeatureName(from) && /\d$/.test(from) ? featureAnchor(from, split.hash) : null;
}

/** The tokens that it raises and lowers, off the weights alone [D6]. */
function Tokens({ dictionary, name }: PartProps) {
  const { setup } = useBoard();
  const words = strings.feature;
  const state = useAnswer(
    { view: 'feature-tokens', model: setup.model, dictionaries: [dictionary.hash], nodes: [name], top: TOKENS },
    PAUSE_MS,
  );
  const answer = state.stale ? null : state.answer;
  const half = answer ? answer.terms.length / 2 : 0;
  return (
    <Section title={words.tokens}>
      <p className="mb-1.5 text-2xs text-soft">{words.tokensMeaning}</p>
      {answer ? (
        <div data-testid="feature-tokens">
          <p className="mb-1">
            <KindBadge kind="weights" />
          </p>
          <div className="grid grid-cols-2 gap-3">
            <TokenList title={words.raises} terms={answer.terms.slice(0, half)} />
            <TokenList title={words.lowers} terms={answer.terms.slice(half).toReversed()} />
          </div>
          <ExportBar
            what={words.tokensExport}
            file={`${fileStem(answer)}-${name}`}
            text={() => tableText(columnsOf(answer), answer.terms)}
            csv={() => csvOf(answer)}
          />
          <Pedigree answer={answer} />
        </div>
      ) : (
        <AnswerWait state={state} />
      )}
    </Section>
  );
}

function TokenList({ title, terms }: { title: string; terms: readonly Term[] }) {
  return (
    <div className="min-w-0">
      <h4 className="mb-1 text-xs text-soft">{title}</h4>
      <ul className="grid gap-px">
        {terms.map(({ name, value, toText }) => (
          <li key={name} className="flex items-center justify-between gap-1 text-xs">
            <TokenChip text={toText ?? name.split('->').at(-1)!} className="truncate" />
            <span className="font-mono">{formatSigned(value!)}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}
