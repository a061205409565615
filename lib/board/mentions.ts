import { isNameAnchor } from './anchors.ts';
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
    parts.push({ kind: isNameAnchor(text) ? 'anchor' : code === undefined ? 'text' : 'code', text });
    end = match.index + whole.length;
  }
  if (end < body.length) parts.push({ kind: 'text', text: body.slice(end) });
  return parts;
}

const FENCE = /^ {0,3}(`{3,}(?=[^`]*$)|~{3,})/;
/** More are nobody in particular. */
const MOST = 50;

/** Who is addressed by `@name` in a comment, each once, in the order of `people`; the longest name that fits counts. */
export function mentionedIn(body: string, people: readonly Author[]): Author[] {
  const named = new Set(splitMentions(withoutCode(body), people).flatMap(({ person }) => (person ? [person.id] : [])));
  return people
    .filter(({ id }) => named.has(id))
    .slice(0, MOST)
    .map(({ id, name }) => ({ id, name }));
}

/** Without fenced blocks and code between backticks, in which nobody is addressed. Takes time by the length, whatever is written. */
function withoutCode(body: string): string {
  const kept: string[] = [];
  let open: string | null = null;
  for (const line of body.split('\n')) {
    const fence: string | undefined = FENCE.exec(line)?.[1];
    if (open === null && fence === undefined) kept.push(line);
    else if (open === null) open = fence ?? null;
    else if (fence?.startsWith(open) && line.trim() === fence) open = null;
  }
  return withoutSpans(kept.join('\n'));
}

/** A span ends at the next run of as many backticks. */
function withoutSpans(text: string): string {
  const runs = [...text.matchAll(/`+/g)].map((match) => ({ start: match.index, length: match[0].length }));
  const nearest = new Map<number, number>();
  const ends: (number | undefined)[] = [];
  for (let run = runs.length - 1; run >= 0; run--) {
    const { length } = runs[run]!;
    ends[run] = nearest.get(length);
    nearest.set(length, run);
  }
  let [said, at] = ['', 0];
  for (let run = 0; run < runs.length; run++) {
    const last = ends[run];
    if (last === undefined) continue;
    said += `${text.slice(at, runs[run]!.start)} `;
    at = runs[last]!.start + runs[last]!.length;
    run = last;
  }
  return said + text.slice(at);
}

/** Splits plain text at the people whom it addresses. All texts together are the whole. */
export function splitMentions(text: string, people: readonly Author[]): { text: string; person: Author | null }[] {
  const named = byLength(people);
  const parts: { text: string; person: Author | null }[] = [];
  let end = 0;
  for (const { index } of text.matchAll(/(?<![\p{L}\p{N}@])@/gu)) {
    if (index < end) continue;
    const person = personAt(text, index + 1, named);
    if (!person) continue;
    if (index > end) parts.push({ text: text.slice(end, index), person: null });
    end = index + 1 + person.name.length;
    parts.push({ text: text.slice(index, end), person });
  }
  if (end < text.length) parts.push({ text: text.slice(end), person: null });
  return parts;
}

/** By name in small letters, by its length, longest first: a text is compared once with all names of a length. */
function byLength(people: readonly Author[]): [number, Map<string, Author>][] {
  const named = new Map<number, Map<string, Author>>();
  for (const person of people) {
    const { length } = person.name;
    const same = named.get(length) ?? new Map<string, Author>();
    const key = small(person.name);
    if (!same.has(key)) same.set(key, person);
    named.set(length, same);
  }
  return [...named].toSorted(([a], [b]) => b - a);
}

function personAt(text: string, at: number, named: readonly [number, Map<string, Author>][]): Author | null {
  for (const [length, people] of named) {
    const person = people.get(small(text.slice(at, at + length)));
    if (person && !/^[\p{L}\p{N}]/u.test(text.slice(at + length))) return person;
  }
  return null;
}

function small(text: string): string {
  return text.toLocaleLowerCase('en');
}
