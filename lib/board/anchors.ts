import { isFeatureName, parseFeature, parseNode, parsePath, parsePlace, parsePlacedEdge } from '../engine/index.ts';

/**
 * What people select, label and talk about. Model objects are named by the engine's grammar; the rest by a kind:
 *
 *   anchor = path | suffix | edge | node        input->a0.h1->logits, a1.h0->logits, a0.h1->m1, m0
 *          | place | flow                      the same at token positions: a0.h1@5, a0.h1@5->a1.h3@9
 *          | feature [ "#" hash ]               f2.1041 of a sparse dictionary: of the one whose hash begins so, else of the layer's
 *          | "token:" position                  of the board's prompt, from 0
 *          | "group:" id                        a mechanism of the board document
 *          | "run:" id | "claim:" id
 */
export const ANCHOR_LIMIT = 10_000;

export type Anchor =
  | { kind: 'model'; name: string }
  /** `dictionary`: the first characters of its hash, null = not said */
  | { kind: 'feature'; name: string; layer: number; feature: number; dictionary: string | null }
  | { kind: 'token'; position: number }
  | { kind: 'group'; id: string }
  | { kind: 'run'; id: string }
  | { kind: 'claim'; id: string };

const NAMED = /^(token|group|run|claim):([A-Za-z0-9_-]{1,40})$/;
const POSITION = /^(?:0|[1-9]\d{0,6})$/;
/** Characters of a dictionary's hash that an anchor holds. */
const HASH_PART = 8;
const FEATURE = /^(f\d+\.\d+)(?:#([0-9a-f]{8}))?$/;

/** Null for what the grammar does not know; whether it exists on a board is not asked. */
export function readAnchor(text: string): Anchor | null {
  const [, kind, rest] = NAMED.exec(text) ?? [];
  if (rest === undefined) return readFeature(text) ?? (isModelAnchor(text) ? { kind: 'model', name: text } : null);
  if (kind === 'token') return POSITION.test(rest) ? { kind, position: Number(rest) } : null;
  return { kind: kind as 'group' | 'run' | 'claim', id: rest };
}

function readFeature(text: string): Anchor | null {
  const [, name, dictionary = null] = FEATURE.exec(text) ?? [];
  if (name === undefined || !isFeatureName(name)) return null;
  const { layer, part } = parseFeature(name);
  return { kind: 'feature', name, layer, feature: Number(part), dictionary };
}

/** True for a path, suffix, edge or node, also at token positions, by the grammar alone. */
export function isModelAnchor(text: string): boolean {
  if (text.length > ANCHOR_LIMIT) return false;
  try {
    const isEdge = text.includes('->');
    if (text.includes('@')) (isEdge ? parsePlacedEdge : parsePlace)(text);
    else (isEdge ? parsePath : parseNode)(text);
    return true;
  } catch {
    return false;
  }
}

export function isAnchor(text: string): boolean {
  return readAnchor(text) !== null;
}

/** True for what stands for an object of the model in what people write: a path, suffix, edge, node or feature. */
export function isNameAnchor(text: string): boolean {
  const kind = readAnchor(text)?.kind;
  return kind === 'model' || kind === 'feature';
}

/** @param hash of its dictionary */
export const featureAnchor = (name: string, hash: string) => `${name}#${hash.slice(0, HASH_PART)}`;
export const groupAnchor = (id: string) => `group:${id}`;
export const tokenAnchor = (position: number) => `token:${position}`;
