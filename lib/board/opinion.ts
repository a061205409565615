import type { Claim, Evidence, VerdictValue } from './records.ts';

/** One piece of evidence that fails fails the claim; one that holds is needed for it to hold. What is only shown beside it has no part. */
export function verdictOfClaim(evidence: readonly Evidence[]): VerdictValue {
  const values = evidence.filter((item) => !item.beside).map((item) => item.verdict.value);
  if (values.includes('fails')) return 'fails';
  return values.includes('holds') ? 'holds' : 'not tested';
}

export type Disagreement = 'people' | 'for-but-fails' | 'against-but-holds';

/** Where people differ among themselves, or all of them from what was computed; null where nobody does. */
export function disagreementOf(claim: Claim, verdict: VerdictValue): Disagreement | null {
  const stances = Object.values(claim.stances).map((one) => one.stance);
  const isFor = stances.includes('for');
  const isAgainst = stances.includes('against');
  if (isFor && isAgainst) return 'people';
  if (isFor && verdict === 'fails') return 'for-but-fails';
  return isAgainst && verdict === 'holds' ? 'against-but-holds' : null;
}
