/** Markup that is safe to place into a document as it is: made by {@link markup}, or a constant of ours. */
export class Markup {
  constructor(readonly text: string) {}

  toString(): string {
    return this.text;
  }
}

export type MarkupValue = Markup | string | number | null | undefined | false | readonly MarkupValue[];

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Control characters and what is no character have no place in HTML or XML; tab and line feed do. */
/* oxlint-disable-next-line no-control-regex -- they are what is looked for */
const FORBIDDEN = /[\u0000-\u0008\u000B-\u001F\u007F\uFFFE\uFFFF]/g;

export function escapeText(text: string): string {
  return text.replace(FORBIDDEN, '\uFFFD').replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}

function render(value: MarkupValue): string {
  if (value instanceof Markup) return value.text;
  if (value === null || value === undefined || value === false) return '';
  if (typeof value === 'object') return value.map(render).join('');
  return escapeText(String(value));
}

/** Tagged template: everything put in is escaped, except {@link Markup} itself. */
export function markup(strings: TemplateStringsArray, ...values: MarkupValue[]): Markup {
  return new Markup(strings.map((part, index) => part + (index < values.length ? render(values[index]!) : '')).join(''));
}
