import { isModelAnchor } from './anchors.ts';

/** A stretch of a comment: plain text, code, or the name of a path, edge or node. */
export interface Part {
  kind: 'text' | 'code' | 'anchor';
  text: string;
}

/** Code between backticks; or, written plainly, a path, an edge or a head. */
const SPECIAL =
  /`([^`\n]+)`|((?:input|logits\.b|a\d+\.(?:h\d+|b)|m\d+(?:\.b)?)(?:->(?:a\d+\.h\d+(?:<[qkv]>)?|m\d+|logits))+)|\b(a\d+\.h\d+)\b/g;

/** Splits a comment so that what it names can be shown. All parts together are the comment without its backticks. */
export function partsOf(body: string): Part[] {
  const parts: Part[] = [];
  let end = 0;
  for (const match of body.matchAll(SPECIAL)) {
    const [whole, code, path, head] = match;
    const text = code ?? path ?? head ?? '';
    if (match.index > end) parts.push({ kind: 'text', text: body.slice(end, match.index) });
    parts.push({ kind: isModelAnchor(text) ? 'anchor' : code === undefined ? 'text' : 'code', text });
    end = match.index + whole.length;
  }
  if (end < body.length) parts.push({ kind: 'text', text: body.slice(end) });
  return parts;
}
