import { markup, type Markup } from './markup.ts';

/** Draws a formula; `display` for one that stands alone. */
export type DrawMath = (tex: string, display: boolean) => Markup;

const asCode: DrawMath = (tex) => markup`<code>${tex}</code>`;

/**
 * The markdown subset of findings: paragraphs, `-` and `1.` lists, **bold**, *emphasis*, `code`, $maths$ and $$maths that
 * stands alone$$. All else is text.
 */
export function prose(source: string, math: DrawMath = asCode): Markup[] {
  const blocks = source.replaceAll('\r\n', '\n').split(/\n\s*\n/);
  return blocks.flatMap((block) =>
    blockOf(
      block.split('\n').filter((line) => line.trim() !== ''),
      math,
    ),
  );
}

const ITEM = /^\s*(?:[-*]|(\d+)[.)])\s+/;

function blockOf(lines: string[], math: DrawMath): Markup[] {
  if (lines.length === 0) return [];
  const first = lines.findIndex((line) => ITEM.test(line));
  if (first < 0) return [markup`<p>${inline(lines.join('\n'), math)}</p>`];
  if (first > 0) return [...blockOf(lines.slice(0, first), math), ...blockOf(lines.slice(first), math)];
  const items: string[] = [];
  for (const line of lines) {
    if (ITEM.test(line)) items.push(line.replace(ITEM, ''));
    else items.push(`${items.pop() ?? ''}\n${line.trim()}`);
  }
  const list = items.map((item) => markup`<li>${inline(item, math)}</li>`);
  return [ITEM.exec(lines[0]!)?.[1] ? markup`<ol>${list}</ol>` : markup`<ul>${list}</ul>`];
}

/** A dollar that is a price opens no formula: one begins and ends without white space, and no digit follows it. */
const SPAN = /`([^`\n]+)`|\$\$([^$]+)\$\$|\$(?!\s)([^$\n]*[^$\s\\])\$(?!\d)|\*\*([^*\n]+(?:\*(?!\*)[^*\n]+)*)\*\*|\*([^*\s][^*\n]*)\*/g;

function inline(text: string, math: DrawMath): (Markup | string)[] {
  const parts: (Markup | string)[] = [];
  let end = 0;
  for (const match of text.matchAll(SPAN)) {
    const [whole, code, display, formula, bold, emphasis] = match;
    parts.push(text.slice(end, match.index));
    if (code !== undefined) parts.push(markup`<code>${code}</code>`);
    else if (display !== undefined || formula !== undefined) parts.push(math((display ?? formula ?? '').trim(), display !== undefined));
    else if (bold !== undefined) parts.push(markup`<strong>${inline(bold, math)}</strong>`);
    else parts.push(markup`<em>${inline(emphasis ?? '', math)}</em>`);
    end = match.index + whole.length;
  }
  parts.push(text.slice(end));
  return parts;
}
