import { ofRun } from '../lib/engine/index.ts';
import { barsFigure } from '../lib/figures/bars.ts';
import { Markup, markup } from '../lib/figures/markup.ts';
import { formatValue } from '../lib/figures/numbers.ts';
import type { Snapshot } from '../lib/snapshot.ts';
import { badge } from './published-parts.ts';
import { PUBLISHED_STYLE } from './published-style.ts';

/** Paths in the figure for other sites. */
const SHOWN = 10;

/** The largest paths as bars. */
export function pathsFigure({ partition }: Pick<Snapshot, 'partition'>, most: number): string {
  const { terms, foil } = ofRun(partition);
  const bars = terms.slice(0, most).map(({ name, value = 0 }) => ({ name, value }));
  return barsFigure({
    id: 'paths-figure',
    title: 'The largest paths',
    axis: foil === null ? 'logit (logits)' : 'logit difference (logits)',
    bars,
  });
}

/** A small document that other sites show in a frame: one figure, and the way to the page. */
export function embedOf({ title, url, snapshot }: { title: string; url: string; snapshot: Snapshot }): string {
  const { authors, partition, version } = snapshot;
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="robots" content="noindex">
<link rel="canonical" href="${url}">
<title>${title}</title>
<style>${new Markup(PUBLISHED_STYLE)}body{padding:.75rem 1rem}h1{font-size:1.0625rem;margin:0}figure{margin:.5rem 0}</style>
</head>
<body>
<main>
<h1><a href="${url}" target="_blank" rel="noopener">${title}</a></h1>
<figure><div class="scroll" tabindex="0" role="region" aria-label="The largest paths">${new Markup(pathsFigure(snapshot, SHOWN))}</div>
<figcaption>${badge(partition.kind)} The ${Math.min(SHOWN, partition.terms.length)} largest of the paths that make the metric ${formatValue(ofRun(partition).metric)} of ${partition.model.name}.</figcaption></figure>
<p class="soft small">${authors.join(', ')} · version ${version} · <a href="${url}" target="_blank" rel="noopener">read and verify</a></p>
</main>
</body>
</html>
`.toString();
}
