import type { Metadata } from 'next';
import { redirect } from 'next/navigation';
import { app } from '@/server/app.ts';
import { formatCount } from '@/lib/figures/numbers.ts';
import type { ModelSummary } from '@/lib/wire.ts';
import { PageFrame } from '../ui/page-frame.tsx';
import { ScrollRegion } from '../ui/scroll-region.tsx';
import { strings } from '../ui/strings.ts';
import { visitor } from '../ui/visitor.ts';

export const metadata: Metadata = { title: strings.models.title };

export default async function ModelsPage() {
  const person = await visitor();
  if (!person) redirect('/sign-in?to=/models');
  const models = await app().models.list();
  return (
    <PageFrame>
      <h1 className="mb-4 text-base font-semibold">{strings.models.title}</h1>
      {models.length === 0 ? <p className="text-sm text-soft">{strings.models.none}</p> : <ModelTable models={models} />}
      <h2 className="mt-8 mb-1 text-sm font-semibold">{strings.models.import}</h2>
      <p className="max-w-2xl text-sm text-soft">{strings.models.importText}</p>
      <pre className="mt-2 max-w-2xl overflow-x-auto rounded-[3px] border border-line bg-paper px-3 py-2 font-mono text-sm">
        {strings.models.importCommand}
      </pre>
    </PageFrame>
  );
}

function ModelTable({ models }: { models: ModelSummary[] }) {
  const { columns } = strings.models;
  return (
    <ScrollRegion label={strings.models.title}>
      <table className="w-full text-sm">
        <thead>
          <tr className="border-b border-line text-left text-2xs text-soft [&>th]:py-1 [&>th]:pr-4 [&>th]:font-normal">
            <th scope="col">{columns.name}</th>
            <th scope="col">{columns.family}</th>
            <th scope="col">{columns.shape}</th>
            <th scope="col" className="text-right">
              {columns.context}
            </th>
            <th scope="col" className="text-right">
              {columns.vocabulary}
            </th>
            <th scope="col" className="text-right">
              {columns.size}
            </th>
            <th scope="col">{columns.hash}</th>
          </tr>
        </thead>
        <tbody>
          {models.map((model) => (
            <tr key={model.name} className="border-b border-line align-baseline [&>td]:py-1.5 [&>td]:pr-4 [&>th]:py-1.5 [&>th]:pr-4">
              <th scope="row" className="min-w-40 text-left font-medium">
                <span className="name whitespace-nowrap">{model.name}</span>
                {model.builtIn ? (
                  <span className="ml-2 whitespace-nowrap rounded-[3px] border border-strong px-1 text-2xs font-normal">
                    {strings.models.builtIn}
                  </span>
                ) : null}
                {model.hasTokenizer ? null : <span className="block text-xs font-normal text-soft">{strings.models.noTokenizer}</span>}
              </th>
              <td className="whitespace-nowrap">{model.family}</td>
              <td className="font-mono text-xs whitespace-nowrap">
                {model.layers} × {model.heads} × {model.dModel}
              </td>
              <td className="text-right font-mono text-xs">{formatCount(model.context)}</td>
              <td className="text-right font-mono text-xs">{formatCount(model.vocabulary)}</td>
              <td className="text-right font-mono text-xs whitespace-nowrap">{megabytes(model.bytes)}</td>
              <td className="font-mono text-xs" title={model.hash}>
                {model.hash.slice(0, 12)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollRegion>
  );
}

function megabytes(bytes: number): string {
  const size = bytes / 1e6;
  return `${size.toFixed(size < 10 ? 1 : 0)} MB`;
}
