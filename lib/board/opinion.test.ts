import { expect, it } from 'vitest';
import { disagreementOf, verdictOfClaim } from './opinion.ts';
import type { Claim, Evidence, Stance, VerdictValue } from './records.ts';

const evidence = (...values: VerdictValue[]) => values.map((value) => ({ verdict: { value, left: null, at: 0 } }) as Evidence);
const claim = (...stances: Stance[]) => {
  const author = { id: 'p', name: 'P' };
  return {
    stances: Object.fromEntries(stances.map((stance, index) => [index, { author, stance, reason: '', at: 0 }])),
  } as unknown as Claim;
};

it('fails by one failure, holds by one success, and is not tested otherwise', () => {
  expect(verdictOfClaim([])).toBe('not tested');
  expect(verdictOfClaim(evidence('not tested'))).toBe('not tested');
  expect(verdictOfClaim(evidence('not tested', 'holds'))).toBe('holds');
  expect(verdictOfClaim(evidence('holds', 'fails'))).toBe('fails');
});

it('leaves out what is only shown beside', () => {
  const [fails, holds] = evidence('fails', 'holds');
  expect(verdictOfClaim([{ ...fails!, beside: true }, holds!])).toBe('holds');
  expect(verdictOfClaim([{ ...holds!, beside: true }])).toBe('not tested');
});

it('says who disagrees with whom', () => {
  expect(disagreementOf(claim('for', 'against'), 'holds')).toBe('people');
  expect(disagreementOf(claim('for'), 'fails')).toBe('for-but-fails');
  expect(disagreementOf(claim('against', 'unsure'), 'holds')).toBe('against-but-holds');
  expect(disagreementOf(claim('for', 'unsure'), 'holds')).toBe(null);
  expect(disagreementOf(claim('against'), 'not tested')).toBe(null);
});
