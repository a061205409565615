import { disagreementOf, verdictOfClaim } from '../lib/board/opinion.ts';
import type { Claim, Evidence } from '../lib/board/records.ts';
import { markup, type Markup } from '../lib/figures/markup.ts';
import { formatError, formatTime } from '../lib/figures/numbers.ts';
import type { Snapshot } from '../lib/snapshot.ts';
import type { Run } from '../lib/wire.ts';
import { anchorTitle, badge, fileLinks, shown, shownWord } from './published-parts.ts';

/** What people hold and what was computed, side by side. */
export function claimsSection(snapshot: Snapshot): Markup | null {
  const { slug, version, claims, runs } = snapshot;
  if (claims.length === 0) return null;
  const byId = new Map(runs.map((run) => [run.id, run]));
  return markup`<section aria-labelledby="claims"><h2 id="claims">Claims</h2>${claims.map(({ claim, evidence }) => claimCard(claim, evidence, byId, snapshot))}
${fileLinks({ slug, version }, ['claims.csv', 'evidence.csv'])}</section>`;
}

const DISAGREEMENT = {
  people: 'People disagree.',
  'for-but-fails': 'Someone is for it, but the evidence fails.',
  'against-but-holds': 'Someone is against it, but the evidence holds.',
};

function claimCard(claim: Claim, evidence: Evidence[], runs: Map<string, Run>, snapshot: Snapshot): Markup {
  const verdict = verdictOfClaim(evidence);
  const disagreement = disagreementOf(claim, verdict);
  const stances = Object.values(claim.stances);
  return markup`<article class="claim"><h3>${claim.text}</h3>
<p class="small soft">${claim.author.name}${claim.anchor !== null && markup` · <span class="mono">${anchorTitle(claim.anchor, snapshot)}</span>`}</p>
<div class="sides"><div><span class="small soft">People</span><ul class="small">${stances.length === 0 ? markup`<li>no stance yet</li>` : stances.map((one) => markup`<li><strong>${one.author.name}</strong> ${one.stance}${one.reason !== '' && ` – ${one.reason}`}</li>`)}</ul></div>
<div><span class="small soft">Computed</span><br><span class="verdict">${shownWord(`claim:${claim.id}`, 'verdict', verdict)}</span>${disagreement !== null && markup`<p class="small">${DISAGREEMENT[disagreement]}</p>`}</div></div>
${evidence.map((item) => evidenceItem(item, runs))}</article>`;
}

function evidenceItem(evidence: Evidence, runs: Map<string, Run>): Markup {
  const { value, left } = evidence.verdict;
  const first = evidence.runIds.map((id) => runs.get(id)).find((run) => run !== undefined);
  const last = evidence.reruns.at(-1);
  return markup`<div class="evidence small">${first && badge(first.answer.kind)} <code>${evidence.predicate}</code> <strong>${evidence.beside === true && 'for comparison, '}${shownWord(`evidence:${evidence.id}`, 'verdict', value)}</strong>${left !== null && markup`, compared <span class="mono">${shown(`evidence:${evidence.id}`, '', 'left', left, 'value')}</span>`}${evidence.note !== undefined && markup`<br>${evidence.note}`}
<br><span class="soft">${evidence.author.name}, ${formatTime(evidence.createdAt)}${first && markup`; ${first.view}${first.answer.reference !== null && ` against ${first.answer.reference}`}`}; run${evidence.runIds.length === 1 ? '' : 's'} <span class="mono">${evidence.runIds.join(', ')}</span></span>
${last && markup`<br><span class="soft">Run again ${evidence.reruns.length === 1 ? 'once' : `${evidence.reruns.length} times`}, last by ${last.by.name}: ${last.agrees ? 'agrees' : 'differs'}, largest difference ${formatError(last.maxDifference)}.</span>`}</div>`;
}
