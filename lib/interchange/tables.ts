import type { Claim, Evidence, Label, VerdictValue } from '../board/records.ts';

/** Tables as CSV (RFC 4180): a first line of names, every line ended by CR LF. */

type Cell = string | number | boolean | null;

export function csvTable(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  return [head, ...rows].map((cells) => `${cells.map(quoted).join(',')}\r\n`).join('');
}

export function labelsCsv(labels: readonly Label[]): string {
  return csvTable(
    ['anchor', 'label', 'created'],
    labels.map(({ anchor, text, createdAt }) => [anchor, text, timeOf(createdAt)]),
  );
}

export function claimsCsv(claims: readonly { claim: Claim; verdict: VerdictValue }[]): string {
  const count = (claim: Claim, wanted: string) => Object.values(claim.stances).filter(({ stance }) => stance === wanted).length;
  return csvTable(
    ['id', 'claim', 'anchor', 'author', 'created', 'verdict', 'for', 'against', 'unsure'],
    claims.map(({ claim, verdict }) => [
      claim.id,
      claim.text,
      claim.anchor,
      claim.author.name,
      timeOf(claim.createdAt),
      verdict,
      count(claim, 'for'),
      count(claim, 'against'),
      count(claim, 'unsure'),
    ]),
  );
}

export function stancesCsv(claims: readonly Claim[]): string {
  const rows = claims.flatMap((claim) =>
    Object.values(claim.stances).map(({ author, stance, reason, at }) => [claim.id, author.name, stance, reason, timeOf(at)]),
  );
  return csvTable(['claim', 'person', 'stance', 'reason', 'time'], rows);
}

export function evidenceCsv(evidence: readonly Evidence[]): string {
  return csvTable(
    ['id', 'claim', 'predicate', 'verdict', 'compared', 'runs', 'author', 'created', 'reruns', 'agreeing', 'largest difference'],
    evidence.map(({ id, claimId, predicate, verdict, runIds, author, createdAt, reruns }) => [
      id,
      claimId,
      predicate,
      verdict.value,
      verdict.left,
      runIds.join(' '),
      author.name,
      timeOf(createdAt),
      reruns.length,
      reruns.filter(({ agrees }) => agrees).length,
      reruns.length === 0 ? null : Math.max(...reruns.map(({ maxDifference }) => maxDifference)),
    ]),
  );
}

function timeOf(at: number): string {
  return new Date(at).toISOString();
}

function quoted(cell: Cell): string {
  if (typeof cell !== 'string') return cell === null ? '' : String(cell);
  // What a person wrote must not be taken for a formula by a spreadsheet.
  const text = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
