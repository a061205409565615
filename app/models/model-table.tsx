import Link from 'next/link';
import { formatBytes, formatParameters } from '@/lib/figures/numbers.ts';
import type { ModelSummary } from '@/lib/wire.ts';
import { CopyButton } from '@/app/ui/copy-button.tsx';
import { ScrollRegion } from '@/app/ui/scroll-region.tsx';
import { strings } from '@/app/ui/strings.ts';

const SHORT = 12;

interface ModelTableProps {
  models: ModelSummary[];
  /** how many boards are about each, by name */
  boards: ReadonlyMap<string, number>;
}

export function ModelTable({ models, boards }: ModelTableProps) {
  const { columns } = strings.models;
  return (
    <ScrollRegion label={strings.models.title}>
      <table className="w-full text-sm">
        <thead>
          <tr className="border-b border-line text-left text-2xs text-soft [&>th]:py-1 [&>th]:pr-4 [&>th]:font-normal">
            <th scope="col">{columns.name}</th>
            <th scope="col">{columns.shape}</th>
            <th scope="col" className="text-right">
              {columns.parameters}
            </th>
            <th scope="col" className="text-right">
              {columns.size}
            </th>
            <th scope="col">{columns.source}</th>
            <th scope="col" className="text-right">
              {columns.boards}
            </th>
            <th scope="col">{columns.hash}</th>
          </tr>
        </thead>
        <tbody>
          {models.map((model) => (
            <Row key={model.name} model={model} boards={boards.get(model.name) ?? 0} />
          ))}
        </tbody>
      </table>
    </ScrollRegion>
  );
}

function Row({ model, boards }: { model: ModelSummary; boards: number }) {
  const { name, family, layers, heads, dModel, hash, parameters, bytes, storedAs, source, hasTokenizer } = model;
  return (
    <tr className="border-b border-line align-baseline [&>td]:py-1.5 [&>td]:pr-4 [&>th]:py-1.5 [&>th]:pr-4">
      <th scope="row" className="min-w-36 text-left font-medium">
        <Link href={`/models/${encodeURIComponent(name)}`} prefetch={false} className="name break-all underline underline-offset-2">
          {name}
        </Link>
        {hasTokenizer ? null : <span className="block text-xs font-normal text-soft">{strings.models.noTokenizer}</span>}
      </th>
      <td className="whitespace-nowrap">
        {strings.models.families[family] ?? family}{' '}
        <span className="font-mono text-xs">
          {layers} × {heads} × {dModel}
        </span>
      </td>
      <td className="text-right font-mono text-xs whitespace-nowrap">{formatParameters(parameters)}</td>
      <td className="text-right font-mono text-xs whitespace-nowrap" title={storedAs.join(', ')}>
        {formatBytes(bytes)}
      </td>
      <td className={`text-xs ${source.kind === 'hub' ? 'max-w-56 min-w-28 break-words' : 'whitespace-nowrap'}`}>
        {strings.models.sources(source)}
      </td>
      <td className="text-right font-mono text-xs">{boards}</td>
      <td className="font-mono text-xs whitespace-nowrap" title={hash}>
        {hash.slice(0, SHORT)}
        <CopyButton text={hash} what={strings.models.hashOf(name)} />
      </td>
    </tr>
  );
}
