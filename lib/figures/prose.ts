import { markup, type Markup } from './markup.ts';

/** The markdown subset of findings: paragraphs, `-` and `1.` lists, **bold**, *emphasis*, `code`. All else is text. */
export function prose(source: string): Markup[] {
  const blocks = source.replaceAll('\r\n', '\n').split(/\n\s*\n/);
  return blocks.flatMap((block) => blockOf(block.split('\n').filter((line) => line.trim() !== '')));
}

const ITEM = /^\s*(?:[-*]|(\d+)[.)])\s+/;

function blockOf(lines: string[]): Markup[] {
  if (lines.length === 0) return [];
  const first = lines.findIndex((line) => ITEM.test(line));
  if (first < 0) return [markup`<p>${inline(lines.join('\n'))}</p>`];
  if (first > 0) return [...blockOf(lines.slice(0, first)), ...blockOf(lines.slice(first))];
  const items: string[] = [];
  for (const line of lines) {
    if (ITEM.test(line)) items.push(line.replace(ITEM, ''));
    else items.push(`${items.pop() ?? ''}\n${line.trim()}`);
  }
  const list = items.map((item) => markup`<li>${inline(item)}</li>`);
  return [ITEM.exec(lines[0]!)?.[1] ? markup`<ol>${list}</ol>` : markup`<ul>${list}</ul>`];
}

/** Text in which `code` alone is marked up. */
export function withCode(text: string): (Markup | string)[] {
  return text.split(/`([^`\n]+)`/).map((part, index) => (index % 2 === 1 ? markup`<code>${part}</code>` : part));
}

const SPAN = /`([^`\n]+)`|\*\*([^*\n]+(?:\*(?!\*)[^*\n]+)*)\*\*|\*([^*\s][^*\n]*)\*/g;

function inline(text: string): (Markup | string)[] {
  const parts: (Markup | string)[] = [];
  let end = 0;
  for (const match of text.matchAll(SPAN)) {
    const [whole, code, bold, emphasis] = match;
    parts.push(text.slice(end, match.index));
    if (code !== undefined) parts.push(markup`<code>${code}</code>`);
    else if (bold !== undefined) parts.push(markup`<strong>${inline(bold)}</strong>`);
    else parts.push(markup`<em>${inline(emphasis ?? '')}</em>`);
    end = match.index + whole.length;
  }
  parts.push(text.slice(end));
  return parts;
}
