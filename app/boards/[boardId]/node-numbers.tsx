'use client';
import { useState } from 'react';
import { parseNode, parsePath, printNode, type Answer } from '@/lib/engine/index.ts';
import { isModelAnchor } from '@/lib/board/anchors.ts';
import { formatError, formatSigned } from '@/lib/figures/numbers.ts';
import { Button } from '@/app/ui/button.tsx';
import { Section } from '@/app/ui/section.tsx';
import { causalRequestOf, requestOf } from '@/app/ui/setup-request.ts';
import { strings } from '@/app/ui/strings.ts';
import { AnswerWait } from './answer-wait.tsx';
import { useBoard } from './board-context.tsx';
import { NumberLine } from './number-lines.tsx';
import { Pedigree } from './pedigree.tsx';
import { useAnswer } from './use-answer.ts';
import { ValueList, type ListedValue } from './value-list.tsx';

const LISTED = 6;
const PAUSE_MS = 150;

/** What a node adds by itself, and what flows into it and out of it [M26]. */
export function NodeNumbers({ node }: { node: string }) {
  const { setup } = useBoard();
  const direct = useAnswer(requestOf(setup, 'direct'), PAUSE_MS);
  const flow = useAnswer(requestOf(setup, 'flow'), PAUSE_MS);
  const adds = direct.stale ? null : (direct.answer?.terms.find(({ name }) => name === node)?.value ?? null);
  const flows = flow.stale ? null : flow.answer;
  const { into, out } = flows ? edgesAt(node, flows) : { into: [], out: [] };
  const words = strings.parts.node;
  const writes = node !== 'logits';
  const reads = parseNode(node).kind !== 'input' && !node.endsWith('.b');

  return (
    <Section title={words.title}>
      {adds !== null && direct.answer ? (
        <NumberLine name={words.direct} kind="identity" value={adds} whole={direct.answer.metric} testId="direct-value" />
      ) : null}
      {flows ? (
        <>
          {reads ? <NumberLine name={words.into} kind="identity" value={sumOf(into)} whole={flows.metric} testId="flow-in" /> : null}
          {writes ? <NumberLine name={words.out} kind="identity" value={sumOf(out)} whole={flows.metric} testId="flow-out" /> : null}
          <p className="mt-1 text-2xs text-soft">{words.conserved(formatError(flows.error ?? Number.NaN))}</p>
          {into.length > 0 && reads ? <Largest title={words.largestIn} edges={into} /> : null}
          {out.length > 0 && writes ? <Largest title={words.largestOut} edges={out} /> : null}
          <Pedigree answer={flows} />
        </>
      ) : (
        <AnswerWait state={flow.error === null && direct.error !== null ? direct : flow} />
      )}
    </Section>
  );
}

function Largest({ title, edges }: { title: string; edges: readonly ListedValue[] }) {
  const sorted = edges.toSorted((left, right) => Math.abs(right.value) - Math.abs(left.value));
  const others = sorted.slice(LISTED);
  const rest = others.length === 0 ? [] : [{ name: strings.parts.node.others(others.length), value: sumOf(others), anchor: null }];
  return (
    <div className="mt-2">
      <h4 className="mb-1 text-xs text-soft">{title}</h4>
      <ValueList label={title} values={[...sorted.slice(0, LISTED), ...rest]} />
    </div>
  );
}

function edgesAt(node: string, { terms }: Answer) {
  const listed = ({ name, value }: Answer['terms'][number]): ListedValue => ({
    name,
    value: value ?? Number.NaN,
    anchor: isModelAnchor(name) ? name : null,
  });
  return {
    into: terms.filter(({ name }) => name.endsWith(`->${node}`)).map(listed),
    out: terms.filter(({ name }) => name.startsWith(`${node}->`)).map(listed),
  };
}

function sumOf(values: readonly { value: number }[]): number {
  return values.reduce((sum, { value }) => sum + value, 0);
}

/** What flows along an edge, and on demand what a patch of it would do to first order [M21]. */
export function EdgeNumbers({ edge }: { edge: string }) {
  const { setup } = useBoard();
  const [wanted, want] = useState(false);
  const plain = edge.replace(/<[qkv]>$/, '');
  const flow = useAnswer(requestOf(setup, 'flow'), PAUSE_MS);
  const eap = useAnswer(wanted ? causalRequestOf(setup, 'attribution') : null);
  const flows = flow.stale ? null : flow.answer;
  const scores = eap.stale ? null : eap.answer;
  const carried = flows?.terms.find(({ name }) => name === plain)?.value;
  const words = strings.parts.edge;

  return (
    <Section title={words.title}>
      {flows && carried !== undefined ? (
        <>
          <NumberLine name={words.flow} kind="identity" value={carried} whole={flows.metric} testId="edge-flow" />
          {plain === edge ? null : <p className="text-2xs text-soft">{words.slot}</p>}
          <Pedigree answer={flows} />
        </>
      ) : flows ? (
        <p className="text-xs text-soft">{words.none}</p>
      ) : (
        <AnswerWait state={flow} />
      )}
      {!wanted ? (
        <Button small className="mt-2" onClick={() => want(true)}>
          {words.eap}
        </Button>
      ) : scores ? (
        <div className="mt-2">
          {scoresOf(edge, scores).map(({ name, value }) => (
            <NumberLine key={name} name={words.score(name)} kind="approximation" value={value} testId="eap-score" />
          ))}
          <p className="text-2xs text-soft">{words.against(scores.reference ?? '')}</p>
          <Pedigree answer={scores} />
        </div>
      ) : (
        <div className="mt-2">
          <AnswerWait state={eap} />
        </div>
      )}
    </Section>
  );
}

/** Of an edge into a head, one score for each slot, unless one is named. */
function scoresOf(edge: string, { terms }: Answer): { name: string; value: number }[] {
  return terms.flatMap(({ name, value }) =>
    value !== undefined && (name === edge || name.replace(/<[qkv]>$/, '') === edge) ? [{ name, value }] : [],
  );
}

function unitsOf({ terms }: Answer, place: number): ListedValue[] {
  const units = terms.map(({ name, value }) => ({ name: name.split('->')[place] ?? name, value: value ?? Number.NaN, anchor: null }));
  return units.sort((left, right) => Math.abs(right.value) - Math.abs(left.value));
}

/** One node of a path opened into neurons, or into what each query reads from each key [M22]. */
export function PathUnits({ path }: { path: string }) {
  const { setup } = useBoard();
  const components = parsePath(path)
    .map(({ node }) => node)
    .filter(({ kind }) => kind === 'head' || kind === 'mlp')
    .map(printNode);
  const [node, choose] = useState(components[0] ?? '');
  const [wanted, setWanted] = useState<string | null>(null);
  const state = useAnswer(wanted === null ? null : requestOf(setup, 'units', { paths: [path], nodes: [wanted], top: 10 }));
  const answer = state.stale ? null : state.answer;
  const words = strings.parts.units;
  if (components.length === 0) return null;

  const start = path.split('->').indexOf(wanted ?? '');
  return (
    <Section title={words.title}>
      <div className="flex flex-wrap items-center gap-2 text-xs">
        <select
          aria-label={words.node}
          value={node}
          onChange={(event) => choose(event.target.value)}
          className="rounded-[3px] border border-strong bg-paper px-1 py-0.5 font-mono"
        >
          {components.map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
        <Button small onClick={() => setWanted(node)} disabled={wanted === node && answer !== null}>
          {words.open}
        </Button>
      </div>
      {wanted !== null && !answer ? (
        <div className="mt-2">
          <AnswerWait state={state} />
        </div>
      ) : null}
      {answer ? (
        <div className="mt-2" data-testid="units">
          <NumberLine name={words.whole(wanted!)} kind="identity" value={answer.whole?.value ?? Number.NaN} />
          <ValueList
            label={words.title}
            values={[
              ...unitsOf(answer, start),
              ...(answer.remainder ? [{ name: words.others, value: answer.remainder, anchor: null }] : []),
            ]}
          />
          <p className="mt-1 text-2xs text-soft">
            {words.sum(formatSigned(answer.sum ?? Number.NaN), formatError(answer.error ?? Number.NaN))}
          </p>
          <Pedigree answer={answer} />
        </div>
      ) : null}
    </Section>
  );
}
