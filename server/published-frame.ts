import { Markup, markup, type MarkupValue } from '../lib/figures/markup.ts';
import { formatTime } from '../lib/figures/numbers.ts';
import { reportOf, type StoredReport } from '../lib/figures/report.ts';
import type { Snapshot } from '../lib/snapshot.ts';
import { bibtexOf, citationOf } from './citation.ts';
import { pathTo } from './published-parts.ts';

/**
 * What stands around a stored article and does change: the addresses of this installation, the list of versions, the
 * last report. It is put between tags that every stored version has, so that old versions get it too.
 */

export const SCRIPT = '/p-assets/page.js';

export interface Page {
  slug: string;
  version: number;
  title: string;
  /** origin of this installation */
  origin: string;
  hasCard: boolean;
  snapshot: Pick<Snapshot, 'authors' | 'question' | 'publishedAt' | 'weights' | 'partition' | 'heads' | 'flow'>;
}

export interface VersionLine {
  version: number;
  title: string;
  createdAt: number;
}

interface Around {
  versions: readonly VersionLine[];
  verified: StoredReport | null;
}

/** The whole document. What is put in holds no `</…>` of the tags looked for, since all that people wrote is escaped. */
export function framePage(html: string, page: Page, around: Around): string {
  return [
    ['</head>', headOf(page)],
    ['</header>', newerNotice(page, around.versions)],
    [
      '</main>',
      [verification(page, around.verified, page.snapshot.weights === true), versionsSection(page, around.versions), reuseSection(page)],
    ],
    ['</body>', markup`<script src="${SCRIPT}" defer></script>`],
  ].reduce((text, [tag, part]) => insert(text, tag as string, part as MarkupValue), html);
}

/** The header's notice stands behind its tag, the others before theirs. */
function insert(html: string, tag: string, part: MarkupValue): string {
  const at = html.indexOf(tag);
  if (at < 0) return html;
  const place = tag === '</header>' ? at + tag.length : at;
  return `${html.slice(0, place)}${markup`${part}`.toString()}${html.slice(place)}`;
}

function headOf({ slug, version, title, origin, hasCard, snapshot }: Page): Markup {
  const { question, partition } = snapshot;
  const url = `${origin}${pathTo({ slug, version })}`;
  const description = (question || `${partition.model.name}, split exactly into computational paths`).slice(0, 300);
  const meta: [string, string, string][] = [
    ['property', 'og:type', 'article'],
    ['property', 'og:site_name', 'Pathboard'],
    ['property', 'og:title', title],
    ['property', 'og:description', description],
    ['property', 'og:url', url],
    ['property', 'article:published_time', new Date(snapshot.publishedAt).toISOString()],
    ['name', 'twitter:card', hasCard ? 'summary_large_image' : 'summary'],
    ['name', 'twitter:title', title],
    ['name', 'twitter:description', description],
  ];
  const card: typeof meta = [
    ['property', 'og:image', `${url}/card.png`],
    ['property', 'og:image:type', 'image/png'],
    ['property', 'og:image:width', '1200'],
    ['property', 'og:image:height', '630'],
    ['property', 'og:image:alt', `${title}: the largest paths of the metric as bars`],
    ['name', 'twitter:image', `${url}/card.png`],
  ];
  return markup`<link rel="canonical" href="${url}">
<link rel="alternate" type="application/json" href="${url}/snapshot.json">
<meta name="description" content="${description}">
${[...meta, ...(hasCard ? card : [])].map(([kind, name, content]) => markup`<meta ${new Markup(kind)}="${name}" content="${content}">\n`)}<style>${new Markup(FRAME_STYLE)}</style>
`;
}

function newerNotice({ slug, version }: Page, versions: readonly VersionLine[]): Markup | null {
  const latest = Math.max(version, ...versions.map((line) => line.version));
  if (latest === version) return null;
  return markup`<p class="notice small">This is version ${version}. <a href="${pathTo({ slug, version: latest })}">Version ${latest}</a> is newer.</p>`;
}

/**
 * Works without a script: the button sends a form, and the page that comes back has the report. With one it is computed
 * in the reader's browser, where the publisher lets readers have the model.
 */
function verification(page: Page, verified: StoredReport | null, hasWeights: boolean): Markup {
  const here = `/verify/${page.slug}/v${page.version}`;
  return markup`<section aria-labelledby="verification" id="verify-section" data-verify="${pathTo(page)}/verify"${hasWeights && markup` data-here="${here}?framed"`}><h2 id="verification">Verification</h2>
<p class="small">Every number and every verdict above can be computed anew, from the prompt on, and compared with what the page states.</p>
<form method="post" action="${pathTo(page)}/verify"><button type="submit" id="verify-button">${verified ? 'Show the report' : 'Verify'}</button> <span id="verify-progress" role="status" class="small soft"></span></form>
${hasWeights && markup`<p class="small"><a href="${here}">Verify in your own browser</a>, which loads the model and computes everything itself.</p>`}
<div id="verify-report">${verified ? reportOf(verified) : markup`<p class="small soft">Nobody has verified this version yet.</p>`}</div></section>`;
}

function versionsSection({ slug, version }: Page, versions: readonly VersionLine[]): Markup {
  const line = (one: VersionLine) =>
    markup`<li>${one.version === version ? markup`<strong aria-current="page">v${one.version}</strong>` : markup`<a href="${pathTo({ slug, version: one.version })}">v${one.version}</a>`} ${one.title} <span class="soft">${formatTime(one.createdAt)}</span></li>`;
  return markup`<section aria-labelledby="versions"><h2 id="versions">Versions</h2>
<ul class="plain small">${versions.map(line)}</ul></section>`;
}

function reuseSection(page: Page): Markup {
  const { slug, version, title, origin, snapshot } = page;
  const base = pathTo(page);
  const cited = { slug, version, title, authors: snapshot.authors, publishedAt: snapshot.publishedAt, url: `${origin}${base}` };
  const files = [
    'snapshot.json',
    'graph.json',
    'annotations.jsonld',
    'paths.csv',
    'degrees.csv',
    'labels.csv',
    'claims.csv',
    'evidence.csv',
    'paths.svg',
    'degrees.svg',
  ];
  const more = [...(snapshot.flow ? ['flow.csv', 'flow.svg'] : []), ...(snapshot.heads ? ['heads.csv'] : [])];
  const frame = `<iframe src="${origin}${base}/embed" title="${title.replaceAll('&', '&amp;').replaceAll('"', '&quot;')}" width="640" height="460" loading="lazy" style="border:0"></iframe>`;
  return markup`<section aria-labelledby="reuse"><h2 id="reuse">Cite and reuse</h2>
<p class="small">Cite:</p><pre data-copy tabindex="0" aria-label="Citation">${citationOf(cited)}</pre>
<p class="small">BibTeX (<a href="${base}/citation.bib">citation.bib</a>):</p><pre data-copy tabindex="0" aria-label="BibTeX">${bibtexOf(cited)}</pre>
<p class="small">Show it on another site:</p><pre data-copy tabindex="0" aria-label="Embedding">${frame}</pre>
<p class="files small">${[...files, ...more].map((file) => markup`<a href="${base}/${file}">${file}</a>`)}</p>
<p class="small soft">${snapshot.weights ? markup`The publisher lets readers have the model: <a href="${base}/model/${snapshot.partition.model.hash}/files.json">files.json</a> lists its files, which lie beside it.` : 'The publisher does not pass the model on.'}</p></section>`;
}

const FRAME_STYLE = `
.notice{border:1px solid var(--line-strong,#8c9095);border-radius:3px;padding:.4rem .75rem}
button{font:inherit;font-size:.875rem;color:var(--ground,#fff);background:var(--ink,#1a1c1e);border:1px solid var(--ink,#1a1c1e);border-radius:3px;padding:.25rem .75rem;cursor:pointer}
button.second{color:var(--ink,#1a1c1e);background:none}
button:disabled{opacity:.6;cursor:default}
:focus-visible{outline:2px solid var(--ink,#1a1c1e);outline-offset:2px}
.files{display:flex;flex-wrap:wrap;gap:0 .875rem}
.files a{display:inline-block;padding:.3rem 0;min-height:1.5rem}
.files a{font-family:ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace}
pre{background:var(--sunken,#f3f3ef);border-radius:3px;padding:.5rem .75rem;font:12px/1.5 ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace;white-space:pre-wrap;overflow-wrap:anywhere;margin:.25rem 0 .75rem}
.mark{white-space:nowrap;font-weight:600;font-size:.75rem}
.mark.reproduced::before{content:"✓ "}
.mark.not-reproduced::before{content:"✗ "}
.mark.not-recomputed::before{content:"? "}
.mark.not-reproduced,[data-outcome=not-reproduced]{color:var(--negative,#b9540b)}
.report th[scope=row]{overflow-wrap:anywhere;min-width:9rem}
.report thead .number{white-space:normal;min-width:4.5rem}
.report tr>:nth-child(2){display:table-cell}
.seal{margin-left:.25em;font-size:.8em}
.seal.not-reproduced{color:var(--negative,#b9540b);font-weight:700}
.sorter{all:unset;cursor:pointer;text-decoration:underline;text-decoration-style:dotted;text-underline-offset:3px}
.sorter:focus-visible{outline:2px solid var(--ink,#1a1c1e)}
.lit{background:var(--sunken,#f3f3ef)}
svg [data-edge].dim,svg [data-node].dim{opacity:.12!important}
.copy{float:right;margin:.25rem 0 .25rem .5rem;font-size:.75rem;padding:.1rem .5rem;color:var(--ink,#1a1c1e);background:var(--ground,#fff)}
@media print{form,.copy,.files,#reuse~*{display:none}}
@media(prefers-reduced-motion:reduce){*{transition:none!important}}
`;
