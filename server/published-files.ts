import { verdictOfClaim } from '../lib/board/opinion.ts';
import type { Answer } from '../lib/engine/index.ts';
import { csvOf } from '../lib/figures/csv.ts';
import { degreesFigure } from '../lib/figures/degrees.ts';
import { stagesFigure } from '../lib/figures/flow-stages.ts';
import { figuresOf as chartsOf } from '../lib/figures/term-figures.ts';
import { layersOf, writeAttributionGraph } from '../lib/interchange/attribution-graph.ts';
import { claimsCsv, evidenceCsv, labelsCsv, stancesCsv } from '../lib/interchange/tables.ts';
import { writeAnnotations } from '../lib/interchange/web-annotation.ts';
import type { Snapshot } from '../lib/snapshot.ts';
import { withoutIds } from './anonymity.ts';
import type { App } from './app.ts';
import { bibtexOf, citationOf, type Cited } from './citation.ts';
import { pathsFigure } from './published-embed.ts';
import { anchorTitle, pathTo } from './published-parts.ts';
import { findCard, type StoredVersion } from './publish.ts';

/** What of a published version can be had as a file. Everything comes from its snapshot. */

export interface PublishedFile {
  type: string;
  body: string | Uint8Array<ArrayBuffer>;
}

const JSON_TYPE = 'application/json; charset=utf-8';
const CSV_TYPE = 'text/csv; charset=utf-8; header=present';
const SVG_TYPE = 'image/svg+xml; charset=utf-8';
const TEXT_TYPE = 'text/plain; charset=utf-8';
/** Paths in a figure that stands alone. */
const BARS = 30;

type Make = (page: StoredVersion, app: App) => PublishedFile | null | Promise<PublishedFile | null>;

const table =
  (make: (page: StoredVersion) => string | null): Make =>
  (page) =>
    file(CSV_TYPE, make(page));
const figure =
  (make: (page: StoredVersion) => string | null): Make =>
  (page) =>
    file(SVG_TYPE, make(page));
const answers = (read: (page: StoredVersion) => Answer | undefined): Make =>
  table((page) => {
    const answer = read(page);
    return answer ? csvOf(answer) : null;
  });

const FILES: Record<string, Make> = {
  'snapshot.json': ({ snapshot }) => file(JSON_TYPE, JSON.stringify(publicSnapshot(snapshot))),
  'paths.csv': answers(({ snapshot }) => snapshot.partition),
  'degrees.csv': answers(({ snapshot }) => snapshot.degrees),
  'flow.csv': answers(({ snapshot }) => snapshot.flow),
  'heads.csv': answers(({ snapshot }) => snapshot.heads),
  'labels.csv': table(({ snapshot }) => labelsCsv(snapshot.labels)),
  'claims.csv': table(({ snapshot }) =>
    claimsCsv(snapshot.claims.map(({ claim, evidence }) => ({ claim, verdict: verdictOfClaim(evidence) }))),
  ),
  'stances.csv': table(({ snapshot }) => stancesCsv(snapshot.claims.map(({ claim }) => claim))),
  'evidence.csv': table(({ snapshot }) => evidenceCsv(snapshot.claims.flatMap(({ evidence }) => evidence))),
  'paths.svg': figure(({ snapshot }) => pathsFigure(snapshot, BARS)),
  'degrees.svg': figure(({ snapshot }) => degreesFigure(snapshot.degrees)),
  'flow.svg': figure(({ snapshot }) => (snapshot.flow ? stagesFigure(snapshot.flow) : null)),
  'graph.json': (page) => file(JSON_TYPE, graphOf(page)),
  'annotations.jsonld': (page, app) => file('application/ld+json; charset=utf-8', JSON.stringify(annotationsOf(page, app))),
  'citation.bib': (page, app) => file('application/x-bibtex; charset=utf-8', bibtexOf(citedOf(page, app))),
  'citation.txt': (page, app) => file(TEXT_TYPE, `${citationOf(citedOf(page, app))}\n`),
  'card.png': async ({ slug, version }, app) => {
    const card = await findCard(app, slug, version);
    return card && { type: 'image/png', body: new Uint8Array(card) };
  },
};

/** Versions from before snapshots were public hold the ids of people. */
function publicSnapshot(snapshot: Snapshot): Snapshot {
  if (snapshot.anonymous !== undefined) return snapshot;
  return withoutIds(
    snapshot,
    snapshot.authors.map((name) => ({ id: name, name })),
  );
}

/** Null where the version has no such file. */
export async function publishedFile(app: App, page: StoredVersion, name: string): Promise<PublishedFile | null> {
  const make = Object.hasOwn(FILES, name) ? FILES[name] : undefined;
  return make ? make(page, app) : headsFigure(page, name);
}

/** The heads' figures are named after what they show. */
function headsFigure({ snapshot: { heads } }: StoredVersion, name: string): PublishedFile | null {
  const chart = heads && chartsOf(heads).find(({ id }) => `${id}.svg` === name);
  return chart ? file(SVG_TYPE, chart.svg) : null;
}

/** Versions without the figure of the flow have no graph. */
function graphOf({ slug, snapshot }: StoredVersion): string | null {
  const { flow, partition, heads, mechanisms = [], labels, setup } = snapshot;
  if (!flow) return null;
  const groups = mechanisms.map(({ group }) => group);
  const layers = layersOf([flow, partition, ...(heads ? [heads] : [])]);
  const pinned = labels.map(({ anchor }) => anchor);
  return JSON.stringify(writeAttributionGraph({ slug, prompt: setup.prompt, layers, flow, paths: partition, groups, labels, pinned }));
}

function annotationsOf({ slug, version, snapshot }: StoredVersion, { config }: App) {
  const { labels, threads, claims, partition } = snapshot;
  return writeAnnotations({
    source: `${config.publicUrl}${pathTo({ slug, version })}`,
    model: partition.model,
    labels,
    threads,
    claims: claims.map(({ claim }) => claim),
    titleOf: (anchor) => anchorTitle(anchor, snapshot),
  });
}

function citedOf({ slug, version, title, snapshot }: StoredVersion, { config }: App): Cited {
  const { authors, publishedAt } = snapshot;
  return { slug, version, title, authors, publishedAt, url: `${config.publicUrl}${pathTo({ slug, version })}` };
}

function file(type: string, body: string | null): PublishedFile | null {
  return body === null ? null : { type, body };
}
