import type { Metadata } from 'next';
import Link from 'next/link';
import { notFound, redirect } from 'next/navigation';
import type { ReactNode } from 'react';
import { standingOf } from '@/server/access.ts';
import { app } from '@/server/app.ts';
import { modelDetail } from '@/server/model-uses.ts';
import { formatBytes, formatCount, formatParameters, formatTime } from '@/lib/figures/numbers.ts';
import type { ModelDetail } from '@/lib/model-wire.ts';
import { mayOn } from '@/lib/roles.ts';
import type { ModelSummary } from '@/lib/wire.ts';
import { CopyButton } from '@/app/ui/copy-button.tsx';
import { PageFrame } from '@/app/ui/page-frame.tsx';
import { strings } from '@/app/ui/strings.ts';
import { visitor } from '@/app/ui/visitor.ts';
import { DeleteModel } from './delete-model.tsx';

interface ModelPageProps {
  params: Promise<{ name: string }>;
}

export async function generateMetadata({ params }: ModelPageProps): Promise<Metadata> {
  return { title: decoded((await params).name) };
}

export default async function ModelPage({ params }: ModelPageProps) {
  const name = decoded((await params).name);
  const person = await visitor();
  if (!person) redirect(`/sign-in?to=/models/${encodeURIComponent(name)}`);
  const model = (await app().models.list()).find((one) => one.name === name);
  if (!model) notFound();
  const [detail, standing] = await Promise.all([modelDetail(app(), person, name), standingOf(app().db, person)]);
  return (
    <PageFrame>
      <p className="mb-2 text-xs">
        <Link href="/models" prefetch={false} className="underline underline-offset-2">
          {strings.models.detail.all}
        </Link>
      </p>
      <h1 className="mb-4 text-base font-semibold break-all">{model.name}</h1>
      <Facts model={model} detail={detail} />
      <Uses detail={detail} />
      {mayOn(standing, 'models.delete') ? (
        model.builtIn ? (
          <p className="mt-8 text-xs text-soft">{strings.models.delete.builtIn}</p>
        ) : (
          <DeleteModel name={model.name} hash={model.hash} size={formatBytes(model.bytes)} uses={detail.uses} />
        )
      ) : null}
    </PageFrame>
  );
}

/** An address that cannot be decoded names no model. */
function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

function Facts({ model, detail }: { model: ModelSummary; detail: ModelDetail }) {
  const text = strings.models.detail;
  const { source, importedAt } = model;
  const from = source.kind === 'hub' ? text.hub(source) : strings.models.sources(source);
  return (
    <dl className="grid gap-x-6 gap-y-1.5 text-sm sm:grid-cols-[13rem_minmax(0,1fr)]">
      <Fact name={text.family}>{strings.models.families[model.family] ?? model.family}</Fact>
      <Fact name={text.layers}>{model.layers}</Fact>
      <Fact name={text.heads}>{model.heads}</Fact>
      <Fact name={text.width}>{model.dModel}</Fact>
      <Fact name={text.mlps}>{text.mlpsOf(model.hasMlp)}</Fact>
      <Fact name={text.parameters}>
        {formatParameters(model.parameters)} ({formatCount(model.parameters)})
      </Fact>
      <Fact name={text.vocabulary}>{text.tokens(formatCount(model.vocabulary))}</Fact>
      <Fact name={text.context}>{text.tokens(formatCount(model.context))}</Fact>
      <Fact name={text.tokenizer}>{model.hasTokenizer ? text.hasTokenizer : strings.models.noTokenizer}</Fact>
      <Fact name={text.size}>{text.stored(formatBytes(model.bytes), model.storedAs)}</Fact>
      <Fact name={text.hash}>
        <span className="font-mono text-xs break-all">{model.hash}</span>{' '}
        <CopyButton text={model.hash} what={strings.models.hashOf(model.name)} />
      </Fact>
      <Fact name={text.from}>{[from, ...(importedAt ? [text.at(formatTime(Date.parse(importedAt)))] : [])].join(', ')}</Fact>
      <Fact name={text.ranOn}>
        {detail.ranOn.length === 0 ? text.notRun : detail.ranOn.map(({ provider, dtype }) => text.device(provider, dtype)).join('; ')}
      </Fact>
    </dl>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="contents">
      <dt className="text-xs text-soft max-sm:mt-1">{name}</dt>
      <dd className="break-words">{children}</dd>
    </div>
  );
}

function Uses({ detail: { uses } }: { detail: ModelDetail }) {
  const text = strings.models.detail;
  const rest = [
    ...(uses.others > 0 ? [text.others(uses.others, uses.boards.length > 0)] : []),
    ...(uses.pages > 0 ? [text.pages(uses.pages)] : []),
  ];
  return (
    <section aria-labelledby="uses" className="mt-8">
      <h2 id="uses" className="mb-2 text-sm font-semibold">
        {text.uses}
      </h2>
      {uses.boards.length === 0 && rest.length === 0 ? <p className="text-sm text-soft">{text.none}</p> : null}
      <ul className="grid gap-1 text-sm">
        {uses.boards.map(({ id, title }) => (
          <li key={id}>
            <Link href={`/boards/${id}`} prefetch={false} className="underline underline-offset-2">
              {title || strings.board.untitled}
            </Link>
          </li>
        ))}
        {rest.map((line) => (
          <li key={line} className="text-soft">
            {line}
          </li>
        ))}
      </ul>
    </section>
  );
}
