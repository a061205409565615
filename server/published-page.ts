import { isNameAnchor } from '../lib/board/anchors.ts';
import { ofRun, type Answer } from '../lib/engine/index.ts';
import { degreesFigure } from '../lib/figures/degrees.ts';
import { stagesFigure } from '../lib/figures/flow-stages.ts';
import { Markup, markup } from '../lib/figures/markup.ts';
import { formatCount, formatError, formatShare, formatTime, formatValue, visibleToken } from '../lib/figures/numbers.ts';
import { prose, type DrawMath } from '../lib/figures/prose.ts';
import { figuresOf as chartsOf } from '../lib/figures/term-figures.ts';
import type { Snapshot } from '../lib/snapshot.ts';
import { mathRenderer } from './math.ts';
import { claimsSection } from './published-claims.ts';
import { anchorTitle, badge, fileLinks, shown } from './published-parts.ts';
import { PUBLISHED_STYLE } from './published-style.ts';

/**
 * A published version as one HTML document without scripts: what is stored, and never changes. Whatever people wrote goes
 * in through {@link markup}. What does change, such as the list of versions, stands around it: see published-frame.ts.
 */
export function renderPublishedPage(snapshot: Snapshot): string {
  const { title, question, findings } = snapshot;
  const math = mathRenderer();
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
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
${findings.trim() !== '' && markup`<section aria-labelledby="findings"><h2 id="findings">Findings</h2>${prose(findings, math)}</section>`}
${partitionSection(snapshot)}
${degreesSection(snapshot)}
${flowSection(snapshot)}
${headsSection(snapshot)}
${labelsSection(snapshot)}
${mechanismsSection(snapshot)}
${claimsSection(snapshot)}
${threadsSection(snapshot, math)}
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
<p class="metric">After position ${partition.position}: logit ${targetToken(partition)}${partition.foil !== null && markup` − logit ${foilToken(partition)}`} = <strong class="mono">${shown('paths', '', 'metric', ofRun(partition).metric, 'value')}</strong></p>
${partition.counterfactualMetric !== undefined && markup`<p class="small soft">On the counterfactual prompt: <span class="mono">${shown('paths', '', 'counterfactualMetric', partition.counterfactualMetric, 'value')}</span></p>`}
</section>`;
}

const targetToken = (answer: Answer) => markup`<code>${visibleToken(answer.targetText ?? String(answer.target))}</code>`;
const foilToken = (answer: Answer) => markup`<code>${visibleToken(answer.foilText ?? String(answer.foil))}</code>`;

function partitionSection({ slug, version, partition, labels }: Snapshot): Markup {
  const { terms, metric, remainder = 0, error = 0, sum = 0 } = ofRun(partition);
  const scale = Math.max(Math.abs(remainder), ...terms.map((term) => Math.abs(term.value ?? 0)));
  const row = (name: Markup, value: number, at: [string, string], path: string | null = null) =>
    markup`<tr${path !== null && markup` data-path="${path}"`}><th scope="row">${name}</th><td>${bar(value, scale)}</td><td class="number">${shown('paths', ...at, value, 'signed')}</td><td class="number soft">${formatShare(value, metric)}</td></tr>`;
  const labelsOf = (anchor: string) =>
    labels.filter((label) => label.anchor === anchor).map((label) => markup` <span class="label">${label.text}</span>`);
  return markup`<section aria-labelledby="paths"><h2 id="paths">The metric, path by path</h2>
<p class="small">${badge('identity')} Listed paths and remainder add up to the metric of this run. They are value paths: attention patterns, norm scales and gates are held at this run, and influence through q and k is credited to nobody.</p>
<div class="scroll" tabindex="0" role="region" aria-label="Paths"><table data-table="paths"><caption>The ${terms.length} largest paths${remainder === 0 ? '' : ' and all others together'}</caption>
<thead><tr><th scope="col">Path</th><th scope="col"><span class="sides-of-zero"><span>−</span><span>+</span></span></th><th scope="col" class="number">Logits</th><th scope="col" class="number">Of metric</th></tr></thead>
<tbody>${terms.map((term) => row(markup`${pathName(term.name)}${labelsOf(term.name)}`, term.value ?? 0, [term.name, 'value'], term.name))}
${remainder !== 0 && row(markup`all other paths`, remainder, ['', 'remainder'])}</tbody>
<tfoot><tr><th scope="row">sum</th><td></td><td class="number">${shown('paths', '', 'sum', sum, 'value')}</td><td class="number">${formatShare(sum, metric)}</td></tr>
<tr><th scope="row">metric, from the forward pass</th><td></td><td class="number">${shown('paths', '', 'metric', metric, 'value')}</td><td class="number">error ${formatError(error)}</td></tr></tfoot></table></div>
${partition.search === 'budget' && markup`<p class="small soft">Found by a search within a budget; the largest suffix left unopened holds ${formatValue(partition.largestUnopened ?? 0)}.</p>`}
${fileLinks({ slug, version }, ['paths.csv', 'labels.csv'])}
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

function degreesSection({ slug, version, degrees }: Snapshot): Markup {
  const row = ({ name, degree, value = 0 }: Answer['terms'][number]) =>
    markup`<tr><th scope="row">${degree ?? name}</th><td class="number">${shown('degrees', name, 'value', value, 'signed')}</td></tr>`;
  return markup`<section aria-labelledby="degrees"><h2 id="degrees">By degree</h2>
<figure><div class="scroll" tabindex="0" role="region" aria-label="Chart of the degrees">${new Markup(degreesFigure(degrees))}</div><figcaption>${badge('identity')} Bars: the sum of all paths with that many components. Line: the sum up to there. Error of the total: ${formatError(degrees.error ?? 0)}.</figcaption></figure>
<details><summary class="small">The numbers</summary><table class="narrow"><thead><tr><th scope="col">Degree</th><th scope="col" class="number">Logits</th></tr></thead><tbody>${degrees.terms.map(row)}</tbody></table></details>
${fileLinks({ slug, version }, ['degrees.csv', 'degrees.svg'])}</section>`;
}

function flowSection({ slug, version, flow }: Snapshot): Markup | null {
  if (!flow || flow.terms.length === 0) return null;
  const ranked = flow.terms.toSorted((a, b) => Math.abs(b.value ?? 0) - Math.abs(a.value ?? 0));
  const row = ({ name, value = 0 }: Answer['terms'][number]) =>
    markup`<tr data-path="${name}"><th scope="row">${pathName(name)}</th><td class="number">${shown('flow', name, 'value', value, 'signed')}</td></tr>`;
  return markup`<section aria-labelledby="flow-heading"><h2 id="flow-heading">Flow</h2>
<figure><div class="scroll" tabindex="0" role="region" aria-label="Graph of the flow">${new Markup(stagesFigure(flow))}</div><figcaption>${badge('identity')} Each edge is the sum of all paths that use it, so edges overlap and do not add up; what flows into a node flows out of it. Blue raises the metric, orange lowers it.</figcaption></figure>
<details><summary class="small">The ${ranked.length} largest edges</summary><div class="scroll" tabindex="0" role="region" aria-label="Edges"><table data-table="flow" class="narrow"><thead><tr><th scope="col">Edge</th><th scope="col" class="number">Logits</th></tr></thead><tbody>${ranked.map(row)}</tbody></table></div></details>
${fileLinks({ slug, version }, ['flow.csv', 'flow.svg', 'graph.json'])}</section>`;
}

const SCORES = [
  ['previous', 'Previous token'],
  ['duplicate', 'Duplicate token'],
  ['induction', 'Induction'],
] as const;

function headsSection({ slug, version, heads }: Snapshot): Markup | null {
  if (!heads || heads.terms.length === 0) return null;
  const charts = chartsOf(heads);
  const cell = (name: string, field: string, value: number | null | undefined) =>
    markup`<td class="number">${typeof value === 'number' ? shown('heads', name, field, value, 'value') : '–'}</td>`;
  return markup`<section aria-labelledby="heads"><h2 id="heads">Heads</h2>
<p class="small">${badge('identity')} How much of its attention each head gives to the token before, to earlier copies of the token, and to what followed them, in this run.</p>
<div class="charts">${charts.map((chart) => markup`<figure><div class="scroll" tabindex="0" role="region" aria-label="${chart.title}">${new Markup(chart.svg)}</div><figcaption>${chart.title}</figcaption></figure>`)}</div>
<details><summary class="small">The numbers</summary><div class="scroll" tabindex="0" role="region" aria-label="Scores of the heads"><table data-table="heads" class="narrow"><thead><tr><th scope="col">Head</th>${SCORES.map(([, title]) => markup`<th scope="col" class="number">${title}</th>`)}</tr></thead><tbody>${heads.terms.map((term) => markup`<tr><th scope="row" class="mono">${term.name}</th>${SCORES.map(([field]) => cell(term.name, field, term[field]))}</tr>`)}</tbody></table></div></details>
${fileLinks({ slug, version }, ['heads.csv', ...charts.map(({ id }) => `${id}.svg`)])}</section>`;
}

function labelsSection(snapshot: Snapshot): Markup | null {
  const { labels } = snapshot;
  if (labels.length === 0) return null;
  return markup`<section aria-labelledby="labels"><h2 id="labels">Labels</h2>
<ul class="plain">${labels.map((label) => markup`<li><span class="mono">${anchorTitle(label.anchor, snapshot)}</span> <span class="label">${label.text}</span></li>`)}</ul></section>`;
}

function mechanismsSection({ mechanisms = [], partition }: Snapshot): Markup | null {
  if (mechanisms.length === 0) return null;
  const { metric } = ofRun(partition);
  return markup`<section aria-labelledby="mechanisms"><h2 id="mechanisms">Mechanisms</h2>
<p class="small">${badge('identity')} What all frozen paths of a mechanism add up to; a path that two of its members stand for counts once.</p>
${mechanisms.map(
  ({ group, value, why }) => markup`<article class="claim"><h3>${group.name}</h3>
<p class="small">${value === null ? markup`<span class="soft">No sum: ${why}.</span>` : markup`<strong class="mono">${shown(`group:${group.id}`, '', 'value', value, 'signed')}</strong> logits, ${formatShare(value, metric)} of the metric`}</p>
<ul class="plain small mono">${group.members.map((member) => markup`<li>${member}</li>`)}</ul></article>`,
)}</section>`;
}

function threadsSection(snapshot: Snapshot, math: DrawMath): Markup | null {
  const { threads } = snapshot;
  if (threads.length === 0) return null;
  return markup`<section aria-labelledby="discussion"><h2 id="discussion">Discussion</h2>
${threads.map(({ thread, comments }) => {
  const isName = isNameAnchor(thread.anchor);
  const title = anchorTitle(thread.anchor, snapshot);
  return markup`<article><h3 class="small">${isName ? markup`<span class="mono">${title}</span>` : title}${thread.resolved && markup` <span class="soft">resolved by ${thread.resolved.by.name}</span>`}</h3>
${comments.map((comment) => markup`<blockquote><span class="small soft"><strong>${comment.author.name}</strong> ${formatTime(comment.createdAt)}</span>${prose(comment.body, math)}</blockquote>`)}</article>`;
})}</section>`;
}

function methodsSection({ partition, degrees, flow, setup, anonymous }: Snapshot): Markup {
  const { model, backend } = partition;
  const facts: [string, Markup | string][] = [
    ['model', markup`${model.name}, hash <span class="mono">${model.hash}</span>`],
    ['engine', `Pathboard ${partition.engineVersion} on ${backend.engine}`],
    ['provider', `${backend.provider}, ${backend.dtype}`],
    [
      'identity error',
      `${formatError(partition.error ?? 0)} (paths), ${formatError(degrees.error ?? 0)} (degrees)${flow ? `, ${formatError(flow.error ?? 0)} (flow)` : ''}`,
    ],
    ['reference', setup.counterfactual === null ? 'zero' : 'counterfactual prompt, or zero where named'],
    ['tokens', markup`<span class="mono">${partition.tokens.join(' ')}</span>`],
    ['position', String(partition.position)],
    ['target', markup`${targetToken(partition)} (${partition.target})`],
    ['foil', partition.foil === null ? 'none' : markup`${foilToken(partition)} (${partition.foil})`],
    ['suffixes opened', partition.opened === undefined ? '–' : `${formatCount(partition.opened)}, ${partition.search ?? ''}`],
  ];
  return markup`<section aria-labelledby="methods" class="methods"><h2 id="methods">Methods</h2>
<dl>${facts.map(([name, value]) => markup`<dt>${name}</dt><dd>${value}</dd>`)}</dl>
${[...new Set([...partition.notes, ...degrees.notes, ...(flow?.notes ?? [])])].map((note) => markup`<p class="small soft">${note}</p>`)}
${anonymous && markup`<p class="small soft">Published for double-blind review: authors are numbered in the order in which they appear.</p>`}</section>`;
}
