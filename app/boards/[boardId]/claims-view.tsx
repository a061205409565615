'use client';
import { useMemo } from 'react';
import { readClaims, readComments, readEvidence } from '@/lib/board/discussion-doc.ts';
import { disagreementOf, verdictOfClaim } from '@/lib/board/opinion.ts';
import type { Claim, Evidence } from '@/lib/wire.ts';
import type { Column } from '@/lib/figures/columns.ts';
import { tableCsv, tableText } from '@/lib/figures/csv.ts';
import { Button } from '@/app/ui/button.tsx';
import { ExportBar } from '@/app/ui/export-bar.tsx';
import { strings } from '@/app/ui/strings.ts';
import { useBoard } from './board-context.tsx';
import { Choice } from './choice.tsx';
import { ClaimCard } from './claim-card.tsx';
import { ClaimForm } from './claim-form.tsx';
import { ClaimTemplate } from './claim-template.tsx';
import { ThreadsOverview } from './threads-overview.tsx';
import { useLive } from './use-live.ts';
import { useSetting } from './use-setting.ts';

const SHOWN = ['claims', 'threads'] as const;
const FILTERS = ['all', 'holds', 'fails', 'not tested', 'disagreement', 'mine'] as const;
type Filter = (typeof FILTERS)[number];
const ORDERS = ['newest', 'stances', 'verdict'] as const;

/** What is claimed about the board, and everything that is being talked about. */
export function ClaimsView() {
  const { session, marks } = useBoard();
  const unread = useLive(session.discussionDoc, readComments).records.filter(marks.isUnread).length;
  const [setting, show] = useSetting('claims', 'show');
  const shown = setting === 'threads' ? 'threads' : 'claims';
  return (
    <section aria-labelledby="claims-heading">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1 border-b border-line px-3 py-2">
        <h2 id="claims-heading" className="text-sm font-semibold">
          {strings.claims.shown[shown]}
        </h2>
        <span role="group" aria-label={strings.claims.show} className="flex gap-1">
          {SHOWN.map((one) => (
            <Button
              key={one}
              small
              aria-pressed={one === shown}
              onClick={() => show(one === 'claims' ? null : one)}
              className="aria-pressed:bg-ink aria-pressed:text-paper"
            >
              {strings.claims.shown[one]}
              {one === 'threads' && unread > 0 ? <span className="text-2xs">{strings.threads.unread(unread)}</span> : null}
            </Button>
          ))}
        </span>
        <p className="min-w-0 flex-1 basis-64 text-xs text-soft">{strings.claims.meanings[shown]}</p>
      </div>
      {shown === 'threads' ? <ThreadsOverview /> : <Claims />}
    </section>
  );
}

function Claims() {
  const { session, ids } = useBoard();
  const claims = useLive(session.discussionDoc, readClaims).records;
  const evidence = useLive(session.discussionDoc, readEvidence).records;
  const [filterSetting, setFilter] = useSetting('claims', 'filter');
  const [orderSetting, setOrder] = useSetting('claims', 'order');
  const filter = FILTERS.find((one) => one === filterSetting) ?? 'all';
  const order = ORDERS.find((one) => one === orderSetting) ?? 'newest';

  const rows = useMemo(() => claims.map((claim) => rowOf(claim, evidence)), [claims, evidence]);
  const shown = rows.filter((row) => passes(row, filter, ids)).sort(BY[order]);

  return (
    <div className="mx-auto grid max-w-3xl gap-4 p-3 sm:p-4">
      <ClaimForm anchor={null} />
      <ClaimTemplate />
      {claims.length === 0 ? (
        <p className="text-sm text-soft">{strings.claims.empty}</p>
      ) : (
        <div className="flex flex-wrap items-center gap-x-3 gap-y-1 text-xs text-soft">
          <Choice label={strings.claims.filter} values={FILTERS} names={strings.claims.filters} value={filter} onValue={setFilter} />
          <Choice label={strings.claims.order} values={ORDERS} names={strings.claims.orders} value={order} onValue={setOrder} />
          <span role="status">{strings.claims.count(shown.length, claims.length)}</span>
          <ExportBar
            what={strings.views.claims}
            file="claims"
            text={() => tableText(COLUMNS, shown)}
            csv={() => tableCsv(COLUMNS, shown)}
          />
        </div>
      )}
      {shown.map(({ claim, evidence: own }) => (
        <ClaimCard key={claim.id} claim={claim} evidence={own} />
      ))}
    </div>
  );
}

interface Row {
  claim: Claim;
  evidence: Evidence[];
  verdict: ReturnType<typeof verdictOfClaim>;
  disagreement: ReturnType<typeof disagreementOf>;
}

function rowOf(claim: Claim, all: readonly Evidence[]): Row {
  const evidence = all.filter((item) => item.claimId === claim.id);
  const verdict = verdictOfClaim(evidence);
  return { claim, evidence, verdict, disagreement: disagreementOf(claim, verdict) };
}

function passes({ claim, verdict, disagreement }: Row, filter: Filter, ids: readonly string[]): boolean {
  if (filter === 'all') return true;
  if (filter === 'disagreement') return disagreement !== null;
  if (filter === 'mine') return ids.includes(claim.author.id) || Object.values(claim.stances).some(({ author }) => ids.includes(author.id));
  return verdict === filter;
}

const newestFirst = (a: Row, b: Row) => b.claim.createdAt - a.claim.createdAt;
const stances = ({ claim }: Row) => Object.keys(claim.stances).length;
const VERDICTS = ['fails', 'holds', 'not tested'];

const BY: Record<(typeof ORDERS)[number], (a: Row, b: Row) => number> = {
  newest: newestFirst,
  stances: (a, b) => stances(b) - stances(a) || newestFirst(a, b),
  verdict: (a, b) => VERDICTS.indexOf(a.verdict) - VERDICTS.indexOf(b.verdict) || newestFirst(a, b),
};

const column = (title: string, read: (row: Row) => string | number): Column<Row> => ({ key: title, title, unit: null, read });
const count = (stance: string) => column(stance, ({ claim }) => Object.values(claim.stances).filter((one) => one.stance === stance).length);

const COLUMNS: Column<Row>[] = [
  column('claim', ({ claim }) => claim.text),
  column('about', ({ claim }) => claim.anchor ?? ''),
  column('author', ({ claim }) => claim.author.name),
  column('verdict', ({ verdict }) => verdict),
  count('for'),
  count('against'),
  count('unsure'),
  column('predicates', ({ evidence }) => evidence.map(({ predicate, verdict }) => `${predicate} (${verdict.value})`).join('; ')),
];
