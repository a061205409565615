import { isComponent, parsePath, type Node } from '../engine/index.ts';
import { isModelAnchor } from './anchors.ts';

/** What of a dictionary decides which paths go through what it explains. */
export interface DictionaryPlace {
  kind: 'residual' | 'mlp-out' | 'transcoder';
  layer: number;
  hook: string;
}

/** All that is explained, as the final norm reads it: a path, or '' for a whole stream. */
export function directPathOf({ kind, layer }: DictionaryPlace): string {
  return kind === 'residual' ? '' : `m${layer}->logits`;
}

/**
 * The path whose value a dictionary splits where this is selected: the path or suffix itself, of its MLP the suffix to the
 * logits, '' for the whole metric where `logits` is selected; null where it does not go through what is explained.
 */
export function pathThrough(place: DictionaryPlace, anchor: string): string | null {
  if (!isModelAnchor(anchor) || /[@<]/.test(anchor)) return null;
  const { kind, layer } = place;
  if (anchor === 'logits') return '';
  if (!anchor.includes('->')) return kind !== 'residual' && anchor === `m${layer}` ? directPathOf(place) : null;
  if (!anchor.endsWith('->logits')) return null;
  const nodes = parsePath(anchor).map(({ node }) => node);
  if (kind !== 'residual') return nodes.some((node) => node.kind === 'mlp' && node.layer === layer) ? anchor : null;
  const [start] = nodes;
  return isComponent(start!) || isBefore(start!, place) ? anchor : null;
}

function isBefore(node: Node, { layer, hook }: DictionaryPlace): boolean {
  if (node.kind === 'input') return true;
  if (!('layer' in node)) return false;
  if (hook.endsWith('hook_resid_pre')) return node.layer < layer;
  if (hook.endsWith('hook_resid_post')) return node.layer <= layer;
  return node.layer < layer || (node.layer === layer && (node.kind === 'head' || node.kind === 'attn-bias'));
}

/** Whether what one dictionary explains is written before what the other's features read. */
export function isWriterFor(writer: DictionaryPlace, reader: DictionaryPlace): boolean {
  return writer.layer < reader.layer;
}

/** The part of a term's name that is a feature, `f2.b` or `f2.error`; null for another node. */
export function featurePartOf(name: string): string | null {
  return name.split('->').find((part) => /^f\d+\./.test(part)) ?? null;
}
