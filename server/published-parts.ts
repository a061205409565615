import { readAnchor } from '../lib/board/anchors.ts';
import type { Kind } from '../lib/engine/index.ts';
import { markup, type Markup } from '../lib/figures/markup.ts';
import { visibleToken } from '../lib/figures/numbers.ts';
import type { Snapshot } from '../lib/snapshot.ts';
import { numberKey, writtenAs, type Format } from '../lib/verify-numbers.ts';

/** What the sections of a published page share. */

export function badge(kind: Kind): Markup {
  return markup`<span class="badge ${kind}">${kind}</span>`;
}

/** A number that can be verified: with what it is, at full precision and how it is written, so that a mark can be set beside it. */
export function shown(part: string, name: string, field: string, value: number | string, format: Format): Markup {
  return markup`<span data-number="${numberKey(part, name, field)}" data-value="${value}" data-format="${format}">${writtenAs(String(value), format)}</span>`;
}

/** A verdict, likewise. */
export function shownWord(part: string, field: string, word: string): Markup {
  return shown(part, '', field, word, 'word');
}

export function pathTo({ slug, version }: { slug: string; version: number }): string {
  return `/p/${slug}/v${version}`;
}

/** What of a section can be had as a file. */
export function fileLinks(page: { slug: string; version: number }, files: readonly string[]): Markup {
  return markup`<p class="files small soft">${files.map((file) => markup`<a href="${pathTo(page)}/${file}">${file}</a>`)}</p>`;
}

/** What an anchor is called: its name in the grammar, or what people wrote. */
export function anchorTitle(anchor: string, { claims, mechanisms = [], runs, partition }: Snapshot): string {
  const read = readAnchor(anchor);
  switch (read?.kind) {
    case 'claim':
      return claims.find(({ claim }) => claim.id === read.id)?.claim.text ?? anchor;
    case 'group':
      return mechanisms.find(({ group }) => group.id === read.id)?.group.name ?? 'a mechanism';
    case 'run':
      return `run of ${runs.find(({ id }) => id === read.id)?.view ?? 'an analysis'}`;
    case 'token':
      return `${visibleToken(partition.tokenTexts?.[read.position] ?? '')} at position ${read.position}`;
    default:
      return anchor;
  }
}
