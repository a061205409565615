import { isModelAnchor } from './anchors.ts';
import type { Author } from './records.ts';

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

/** Fenced blocks and code between backticks, in which nobody is addressed. */
const CODE = /^( {0,3})(`{3,}|~{3,})[^\n]*\n[\s\S]*?(?:\n\1 {0,3}\2[`~]*[ \t]*$|$(?![\s\S]))|(`+)(?!`)[\s\S]*?[^`]\3(?!`)/gm;
/** More are nobody in particular. */
const MOST = 50;

/** Who is addressed by `@name` in a comment, each once, in the order of `people`; the longest name that fits counts. */
export function mentionedIn(body: string, people: readonly Author[]): Author[] {
  const named = new Set(splitMentions(body.replace(CODE, ' '), people).flatMap(({ person }) => (person ? [person.id] : [])));
  return people
    .filter(({ id }) => named.has(id))
    .slice(0, MOST)
    .map(({ id, name }) => ({ id, name }));
}

/** Splits plain text at the people whom it addresses. All texts together are the whole. */
export function splitMentions(text: string, people: readonly Author[]): { text: string; person: Author | null }[] {
  const longestFirst = people.toSorted((a, b) => b.name.length - a.name.length);
  const parts: { text: string; person: Author | null }[] = [];
  let end = 0;
  for (const { index } of text.matchAll(/(?<![\p{L}\p{N}@])@/gu)) {
    if (index < end) continue;
    const rest = text.slice(index + 1);
    const person = longestFirst.find(({ name }) => startsWithName(rest, name));
    if (!person) continue;
    if (index > end) parts.push({ text: text.slice(end, index), person: null });
    end = index + 1 + person.name.length;
    parts.push({ text: text.slice(index, end), person });
  }
  if (end < text.length) parts.push({ text: text.slice(end), person: null });
  return parts;
}

function startsWithName(text: string, name: string): boolean {
  const given = text.slice(0, name.length);
  return given.toLocaleLowerCase('en') === name.toLocaleLowerCase('en') && !/^[\p{L}\p{N}]/u.test(text.slice(name.length));
}
