'use client';
import type { ReactNode } from 'react';
import type { Estimate } from '@/lib/board/agreement.ts';
import type { SessionDetail, SessionResults } from '@/lib/wire.ts';
import { formatValue } from '@/lib/figures/numbers.ts';
import { CopyButton } from '@/app/ui/copy-button.tsx';
import { ScrollRegion } from '@/app/ui/scroll-region.tsx';
import { strings } from '@/app/ui/strings.ts';

interface AgreementTablesProps {
  results: SessionResults;
  detail: SessionDetail;
  /** labels given after the reveal */
  late: number;
}

interface Row {
  key: string;
  name: string;
  kappa: Estimate;
  observed: Estimate | null;
  share: number | null;
  n: string;
}

/** Fleiss' kappa over all and for each label, Cohen's for each pair, with intervals, or why there is none. */
export function AgreementTables({ results, detail, late }: AgreementTablesProps) {
  const words = strings.sessions.results;
  const { agreement, people } = results;
  const { fleiss, observed, labels, pairs, items, singles, ratings, raters, resamples, seed } = agreement;
  const nameOf = (id: string) => people.find((person) => person.id === id)?.name ?? id;
  const basis = [
    words.basis(ratings, items, raters),
    ...(singles > 0 ? [words.left(singles)] : []),
    ...(late > 0 ? [words.late(late)] : []),
  ];
  const overall: Row[] = [
    { key: 'overall', name: words.overall, kappa: fleiss, observed, share: null, n: words.nItems(items) },
    ...labels.map((one) => ({
      key: one.label,
      name: one.label,
      kappa: one.kappa,
      observed: null,
      share: one.share,
      n: words.nRatings(one.ratings),
    })),
  ];
  const byPair: Row[] = pairs.map(({ raters: [a, b], items: both, observed: same, kappa }) => ({
    key: `${a} ${b}`,
    name: words.pair(nameOf(a), nameOf(b)),
    kappa,
    observed: same,
    share: null,
    n: words.nItems(both),
  }));
  return (
    <section aria-labelledby="agreement" data-testid="agreement">
      <div className="flex flex-wrap items-baseline gap-x-3">
        <h2 id="agreement" className="text-sm font-semibold">
          {words.statistics}
        </h2>
        <CopyButton text={() => copyText([...overall, ...byPair], detail)} what={words.copy} />
      </div>
      <p className="mb-2 text-xs text-soft">
        {words.kind} {basis.join('; ')}.
      </p>
      <div className="grid items-start gap-x-8 gap-y-4 lg:grid-cols-2">
        <Table title={words.fleiss} rows={overall} />
        {byPair.length > 0 ? <Table title={words.cohen} rows={byPair} /> : null}
      </div>
      <p className="mt-2 max-w-3xl text-2xs text-soft">{words.method(resamples, seed)}</p>
    </section>
  );
}

function Table({ title, rows }: { title: string; rows: readonly Row[] }) {
  const { columns } = strings.sessions.results;
  const hasShare = rows.some(({ share }) => share !== null);
  return (
    <ScrollRegion label={title}>
      <table className="w-full text-xs">
        <caption className="mb-1 text-left text-xs font-semibold text-soft">{title}</caption>
        <thead>
          <tr className="border-b border-line text-right text-2xs text-soft [&>th]:py-1 [&>th]:pl-3 [&>th]:font-normal">
            <th scope="col" className="!pl-0 text-left">
              {columns.what}
            </th>
            <th scope="col">{columns.kappa}</th>
            <th scope="col">{columns.interval}</th>
            <th scope="col">{columns.observed}</th>
            {hasShare ? <th scope="col">{columns.share}</th> : null}
            <th scope="col">{columns.n}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ key, name, kappa, observed, share, n }) => (
            <tr key={key} data-row={name} className="border-b border-line text-right align-baseline [&>td]:py-1 [&>td]:pl-3">
              <th scope="row" className="max-w-48 py-1 text-left font-medium break-words">
                {name}
              </th>
              <KappaCells kappa={kappa} />
              <td className="font-mono whitespace-nowrap">{observed?.value == null ? <Nothing>–</Nothing> : percent(observed.value)}</td>
              {hasShare ? <td className="font-mono whitespace-nowrap">{share === null ? <Nothing>–</Nothing> : percent(share)}</td> : null}
              <td className="whitespace-nowrap text-soft">{n}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollRegion>
  );
}

function KappaCells({ kappa }: { kappa: Estimate }) {
  const { why } = strings.sessions.results;
  if (kappa.value === null) {
    return (
      <td colSpan={2} data-testid="kappa" className="text-soft">
        {why[kappa.why]}
      </td>
    );
  }
  return (
    <>
      <td className="font-mono" data-testid="kappa" data-exact={kappa.value}>
        {formatValue(kappa.value)}
      </td>
      <td className="font-mono whitespace-nowrap" data-testid="interval">
        {kappa.interval ? intervalText(kappa.interval) : <Nothing>{kappa.why === null ? '' : why[kappa.why]}</Nothing>}
      </td>
    </>
  );
}

function Nothing({ children }: { children: ReactNode }) {
  return <span className="font-sans whitespace-normal text-soft">{children}</span>;
}

function intervalText({ low, high }: { low: number; high: number }): string {
  return `${formatValue(low)} … ${formatValue(high)}`;
}

export function percent(part: number): string {
  return `${(100 * part).toFixed(part === 1 || part === 0 ? 0 : 1)}%`;
}

/** Tab-separated at full precision. */
function copyText(rows: readonly Row[], { name }: SessionDetail): string {
  const { columns, why } = strings.sessions.results;
  const cells = rows.map(({ name: of, kappa, observed, share, n }) => [
    of,
    kappa.value === null ? why[kappa.why] : String(kappa.value),
    kappa.interval ? `${kappa.interval.low} … ${kappa.interval.high}` : '',
    observed?.value == null ? '' : String(observed.value),
    share === null ? '' : String(share),
    n,
  ]);
  const head = [columns.what, columns.kappa, columns.interval, columns.observed, columns.share, columns.n];
  return [[name], head, ...cells].map((row) => row.join('\t')).join('\n');
}
