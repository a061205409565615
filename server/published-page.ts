import { disagreementOf, verdictOfClaim } from '../lib/board/opinion.ts';
import type { Claim, Evidence } from '../lib/board/records.ts';
import { ofRun, type Answer, type Kind } from '../lib/engine/index.ts';
import { degreesFigure } from '../lib/figures/degrees.ts';
import { Markup, markup } from '../lib/figures/markup.ts';
import { formatCount, formatError, formatShare, formatSigned, formatTime, formatValue, visibleToken } from '../lib/figures/numbers.ts';
import { prose, withCode } from '../lib/figures/prose.ts';
import type { Run } from '../lib/wire.ts';
import { PUBLISHED_STYLE } from './published-style.ts';
import type { Snapshot } from './snapshot.ts';

/** A published version as one HTML document without scripts. Whatever people wrote goes in through {@link markup}. */
export function renderPublishedPage(snapshot: Snapshot): string {
  const { title, question, findings } = snapshot;
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="description" content="${question || title}">
<title>${title}</title>
<style>${new Markup(PUBLISHED_STYLE)}</style>
</head>
<body>
<main>
<header>
<h1>${title}</h1>
<p class="soft small">${snapshot.authors.join(', ')} · <time datetime="${new Date(snapshot.publishedAt).toISOString()}">${formatTime(snapshot.publishedAt)}</time> · version ${snapshot.version}</p>
${question !== '' && markup`<p class="question">${question}</p>`}
</header>
${promptSection(snapshot)}
${findings.trim() !== '' && markup`<section aria-labelledby="findings"><h2 id="findings">Findings</h2>${prose(findings)}</section>`}
${partitionSection(snapshot)}
${degreesSection(snapshot)}
${labelsSection(snapshot)}
${claimsSection(snapshot)}
${threadsSection(snapshot)}
${methodsSection(snapshot)}
</main>
<footer class="soft small"><p>Made with Pathboard. This version, <span class="mono">/p/${snapshot.slug}/v${snapshot.version}</span>, does not change.</p></footer>
</body>
</html>
`.toString();
}

function promptSection({ setup, partition }: Snapshot): Markup {
  const texts = partition.tokenTexts ?? partition.tokens.map(String);
  return markup`<section aria-labelledby="prompt"><h2 id="prompt">Prompt</h2>
<ol class="tokens">${texts.map((text, index) => markup`<li title="${JSON.stringify(text)}, position ${index}, id ${partition.tokens[index] ?? ''}"${index === partition.position && new Markup(' aria-current="true"')}>${visibleToken(text)}</li>`)}</ol>
${setup.counterfactual !== null && markup`<p class="small soft">Counterfactual: <code>${setup.counterfactual}</code></p>`}
<p class="metric">After position ${partition.position}: logit ${targetToken(partition)}${partition.foil !== null && markup` − logit ${foilToken(partition)}`} = <strong class="mono">${formatValue(ofRun(partition).metric)}</strong></p>
${partition.counterfactualMetric !== undefined && markup`<p class="small soft">On the counterfactual prompt: <span class="mono">${formatValue(partition.counterfactualMetric)}</span></p>`}
</section>`;
}

const targetToken = (answer: Answer) => markup`<code>${visibleToken(answer.targetText ?? String(answer.target))}</code>`;
const foilToken = (answer: Answer) => markup`<code>${visibleToken(answer.foilText ?? String(answer.foil))}</code>`;

function partitionSection({ partition, labels }: Snapshot): Markup {
  const { terms, metric, remainder = 0, error = 0, sum = 0 } = ofRun(partition);
  const scale = Math.max(Math.abs(remainder), ...terms.map((term) => Math.abs(term.value ?? 0)));
  const row = (name: Markup, value: number) =>
    markup`<tr><th scope="row">${name}</th><td>${bar(value, scale)}</td><td class="number">${formatSigned(value)}</td><td class="number soft">${formatShare(value, metric)}</td></tr>`;
  const labelsOf = (anchor: string) =>
    labels.filter((label) => label.anchor === anchor).map((label) => markup` <span class="label">${label.text}</span>`);
  return markup`<section aria-labelledby="paths"><h2 id="paths">The metric, path by path</h2>
<p class="small">${badge('identity')} Listed paths and remainder add up to the metric of this run. They are value paths: attention patterns, norm scales and gates are held at this run, and influence through q and k is credited to nobody.</p>
<div class="scroll" tabindex="0" role="region" aria-label="Paths"><table><caption>The ${terms.length} largest paths${remainder === 0 ? '' : ' and all others together'}</caption>
<thead><tr><th scope="col">Path</th><th scope="col"><span class="sides-of-zero"><span>−</span><span>+</span></span></th><th scope="col" class="number">Logits</th><th scope="col" class="number">Of metric</th></tr></thead>
<tbody>${terms.map((term) => row(markup`${pathName(term.name)}${labelsOf(term.name)}`, term.value ?? 0))}
${remainder !== 0 && row(markup`all other paths`, remainder)}</tbody>
<tfoot><tr><th scope="row">sum</th><td></td><td class="number">${formatValue(sum)}</td><td class="number">${formatShare(sum, metric)}</td></tr>
<tr><th scope="row">metric, from the forward pass</th><td></td><td class="number">${formatValue(metric)}</td><td class="number">error ${formatError(error)}</td></tr></tfoot></table></div>
${partition.search === 'budget' && markup`<p class="small soft">Found by a search within a budget; the largest suffix left unopened holds ${formatValue(partition.largestUnopened ?? 0)}.</p>`}
</section>`;
}

/** A path that wraps between its nodes only. */
function pathName(name: string): Markup {
  const stops = name.split('->');
  return markup`<span class="mono">${stops.map((stop, index) => markup`<span class="stop">${stop}${index < stops.length - 1 && '->'}</span><wbr>`)}</span>`;
}

function bar(value: number, scale: number): Markup {
  const part = scale > 0 ? (Math.abs(value) / scale).toFixed(4) : '0';
  return markup`<span class="bar" aria-hidden="true"><i class="${value < 0 ? 'down' : 'up'}" style="--part:${part}"></i></span>`;
}

function badge(kind: Kind): Markup {
  return markup`<span class="badge ${kind}">${kind}</span>`;
}

function degreesSection({ degrees }: Snapshot): Markup {
  return markup`<section aria-labelledby="degrees"><h2 id="degrees">By degree</h2>
<figure><div class="scroll" tabindex="0" role="region" aria-label="Chart of the degrees">${new Markup(degreesFigure(degrees))}</div><figcaption>${badge('identity')} Bars: the sum of all paths with that many components. Line: the sum up to there. Error of the total: ${formatError(degrees.error ?? 0)}.</figcaption></figure></section>`;
}

function labelsSection({ labels }: Snapshot): Markup | null {
  if (labels.length === 0) return null;
  return markup`<section aria-labelledby="labels"><h2 id="labels">Labels</h2>
<ul class="plain">${labels.map((label) => markup`<li><span class="mono">${label.anchor}</span> <span class="label">${label.text}</span></li>`)}</ul></section>`;
}

function claimsSection({ claims, runs }: Snapshot): Markup | null {
  if (claims.length === 0) return null;
  const byId = new Map(runs.map((run) => [run.id, run]));
  return markup`<section aria-labelledby="claims"><h2 id="claims">Claims</h2>${claims.map(({ claim, evidence }) => claimCard(claim, evidence, byId))}</section>`;
}

const DISAGREEMENT = {
  people: 'People disagree.',
  'for-but-fails': 'Someone is for it, but the evidence fails.',
  'against-but-holds': 'Someone is against it, but the evidence holds.',
};

function claimCard(claim: Claim, evidence: Evidence[], runs: Map<string, Run>): Markup {
  const verdict = verdictOfClaim(evidence);
  const disagreement = disagreementOf(claim, verdict);
  const stances = Object.values(claim.stances);
  return markup`<article class="claim"><h3>${claim.text}</h3>
<p class="small soft">${claim.author.name}${claim.anchor !== null && markup` · <span class="mono">${claim.anchor}</span>`}</p>
<div class="sides"><div><span class="small soft">People</span><ul class="small">${stances.length === 0 ? markup`<li>no stance yet</li>` : stances.map((one) => markup`<li><strong>${one.author.name}</strong> ${one.stance}${one.reason !== '' && ` – ${one.reason}`}</li>`)}</ul></div>
<div><span class="small soft">Computed</span><br><span class="verdict">${verdict}</span>${disagreement !== null && markup`<p class="small">${DISAGREEMENT[disagreement]}</p>`}</div></div>
${evidence.map((item) => evidenceItem(item, runs))}</article>`;
}

function evidenceItem(evidence: Evidence, runs: Map<string, Run>): Markup {
  const { value, left } = evidence.verdict;
  const shown = evidence.runIds.map((id) => runs.get(id)).find((run) => run !== undefined);
  const last = evidence.reruns.at(-1);
  return markup`<div class="evidence small">${shown && badge(shown.answer.kind)} <code>${evidence.predicate}</code> <strong>${value}</strong>${left !== null && markup`, compared <span class="mono">${formatValue(left)}</span>`}
<br><span class="soft">${evidence.author.name}, ${formatTime(evidence.createdAt)}${shown && markup`; ${shown.view}${shown.answer.reference !== null && ` against ${shown.answer.reference}`}`}; run${evidence.runIds.length === 1 ? '' : 's'} <span class="mono">${evidence.runIds.join(', ')}</span></span>
${last && markup`<br><span class="soft">Run again ${evidence.reruns.length === 1 ? 'once' : `${evidence.reruns.length} times`}, last by ${last.by.name}: ${last.agrees ? 'agrees' : 'differs'}, largest difference ${formatError(last.maxDifference)}.</span>`}</div>`;
}

function threadsSection({ threads, claims }: Snapshot): Markup | null {
  if (threads.length === 0) return null;
  const about = (anchor: string) => claims.find(({ claim }) => anchor === `claim:${claim.id}`)?.claim.text ?? null;
  return markup`<section aria-labelledby="discussion"><h2 id="discussion">Discussion</h2>
${threads.map(({ thread, comments }) => {
  const claim = about(thread.anchor);
  return markup`<article><h3 class="small">${claim === null ? markup`<span class="mono">${thread.anchor}</span>` : claim}${thread.resolved && markup` <span class="soft">resolved by ${thread.resolved.by.name}</span>`}</h3>
${comments.map((comment) => markup`<blockquote><span class="small soft"><strong>${comment.author.name}</strong> ${formatTime(comment.createdAt)}</span><p>${withCode(comment.body)}</p></blockquote>`)}</article>`;
})}</section>`;
}

function methodsSection({ partition, degrees, setup }: Snapshot): Markup {
  const { model, backend } = partition;
  const facts: [string, Markup | string][] = [
    ['model', markup`${model.name}, hash <span class="mono">${model.hash}</span>`],
    ['engine', `Pathboard ${partition.engineVersion} on ${backend.engine}`],
    ['provider', `${backend.provider}, ${backend.dtype}`],
    ['identity error', `${formatError(partition.error ?? 0)} (paths), ${formatError(degrees.error ?? 0)} (degrees)`],
    ['reference', setup.counterfactual === null ? 'zero' : 'counterfactual prompt, or zero where named'],
    ['tokens', markup`<span class="mono">${partition.tokens.join(' ')}</span>`],
    ['position', String(partition.position)],
    ['target', markup`${targetToken(partition)} (${partition.target})`],
    ['foil', partition.foil === null ? 'none' : markup`${foilToken(partition)} (${partition.foil})`],
    ['suffixes opened', partition.opened === undefined ? '–' : `${formatCount(partition.opened)}, ${partition.search ?? ''}`],
  ];
  return markup`<section aria-labelledby="methods" class="methods"><h2 id="methods">Methods</h2>
<dl>${facts.map(([name, value]) => markup`<dt>${name}</dt><dd>${value}</dd>`)}</dl>
${partition.notes.map((note) => markup`<p class="small soft">${note}</p>`)}</section>`;
}
