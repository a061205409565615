'use client';
import { STANCES, type VerdictValue } from '@/lib/board/records.ts';
import { disagreementOf, verdictOfClaim } from '@/lib/board/opinion.ts';
import type { Claim, Evidence } from '@/lib/wire.ts';
import { strings } from '@/app/ui/strings.ts';

const SIGNS: Record<VerdictValue, string> = { holds: '✓', fails: '✗', 'not tested': '○' };

export function VerdictMark({ evidence }: { evidence: readonly Evidence[] }) {
  return <VerdictSign value={verdictOfClaim(evidence)} />;
}

export function VerdictSign({ value }: { value: VerdictValue }) {
  return (
    <span data-verdict={value} className="inline-flex items-center gap-1 text-xs font-semibold">
      <span aria-hidden="true">{SIGNS[value]}</span>
      {strings.verdicts[value]}
    </span>
  );
}

/** How many people are for, against and unsure. */
export function StanceTally({ claim }: { claim: Claim }) {
  const stances = Object.values(claim.stances);
  return (
    <span className="text-xs text-soft">
      {STANCES.map((stance) => `${stances.filter((one) => one.stance === stance).length} ${strings.stance.names[stance]}`).join(' · ')}
    </span>
  );
}

export function Disagreement({ claim, evidence }: { claim: Claim; evidence: readonly Evidence[] }) {
  const disagreement = disagreementOf(claim, verdictOfClaim(evidence));
  if (disagreement === null) return null;
  return (
    <p data-testid="disagreement" className="border-l-2 border-ink pl-2 text-xs font-medium">
      {strings.claims.disagreements[disagreement]}
    </p>
  );
}
