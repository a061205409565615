'use client';
import type { Answer } from '@/lib/engine/index.ts';
import { formatError } from '@/lib/figures/numbers.ts';
import { CopyButton } from '@/app/ui/copy-button.tsx';
import { strings } from '@/app/ui/strings.ts';

function factsOf(answer: Answer): [string, string][] {
  const { facts } = strings.pedigree;
  const token = (id: number | null, text: string | undefined) =>
    id === null ? strings.setup.none : `${text === undefined ? '' : `${JSON.stringify(text)} `}(${id})`;
  const promptFacts = ({ tokens, position, target, targetText, foil, foilText }: Answer): [string, string][] => [
    [facts.tokens, tokens.join(' ')],
    [facts.position, String(position)],
    [facts.target, token(target, targetText)],
    [facts.foil, token(foil, foilText)],
  ];
  return [
    [facts.view, `${answer.view} (${answer.kind})`],
    [facts.model, `${answer.model.name} ${answer.model.hash}`],
    ...(answer.kind === 'weights' ? [] : promptFacts(answer)),
    [facts.reference, answer.reference ?? strings.setup.none],
    [facts.backend, `${answer.backend.engine}, ${answer.backend.provider}, ${answer.backend.dtype}`],
    [facts.engine, answer.engineVersion],
    ...(answer.error === undefined ? [] : [[facts.error, formatError(answer.error)] as [string, string]]),
    ...Object.entries(answer.settings ?? {}).map(([name, value]): [string, string] => [strings.pedigree.setting(name), String(value)]),
  ];
}

/** Where a number comes from: enough to compute it again. */
export function Pedigree({ answer }: { answer: Answer }) {
  const facts = factsOf(answer);
  return (
    <details className="mt-2 text-xs">
      <summary className="rounded-[2px] text-soft">{strings.pedigree.title}</summary>
      <dl className="mt-1 grid grid-cols-[5.5rem_1fr] gap-x-2 gap-y-0.5">
        {facts.map(([name, value]) => (
          <div key={name} className="contents">
            <dt className="text-soft">{name}</dt>
            <dd className="name">{value}</dd>
          </div>
        ))}
      </dl>
      <CopyButton text={facts.map((fact) => fact.join('\t')).join('\n')} what={strings.pedigree.title} />
    </details>
  );
}
