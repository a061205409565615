import { TERM_NUMBERS, type Answer, type Term } from './engine/index.ts';
import { formatSigned, formatValue } from './figures/numbers.ts';

/** The numbers of an answer and of a page, each under a key that both sides know it by. */

export function numberKey(part: string, name: string, field: string): string {
  return `${part}|${name}|${field}`;
}

interface Numeral {
  /** of the term; '' for numbers of the whole answer */
  name: string;
  field: string;
  /** numbers of one column have one scale */
  column: string;
  value: number | null;
}

/** Every number of an answer but times. Numbers in logits share the column of the values. */
export function numbersOf(answer: Answer): Numeral[] {
  const whole = (field: string, value: number | null | undefined, column = 'value'): Numeral[] =>
    value === undefined ? [] : [{ name: '', field, column, value }];
  return [
    ...whole('metric', answer.metric),
    ...whole('counterfactualMetric', answer.counterfactualMetric),
    ...whole('remainder', answer.remainder),
    ...whole('sum', answer.sum),
    ...whole('error', answer.error, 'error'),
    ...whole('joint', answer.joint?.value),
    ...answer.terms.flatMap(numbersOfTerm),
    ...(answer.defects ?? []).flatMap(({ name, live, frozenScale }) => [
      { name, field: 'live', column: 'defect', value: live },
      { name, field: 'frozenScale', column: 'defect', value: frozenScale },
    ]),
    ...Object.entries(answer.baseline ?? {}).flatMap(([slot, { mean, deviation }]) => [
      ...whole(`baseline ${slot} mean`, mean, slot),
      ...whole(`baseline ${slot} deviation`, deviation, slot),
    ]),
  ];
}

function numbersOfTerm(term: Term): Numeral[] {
  const { name } = term;
  const numbers: Numeral[] = TERM_NUMBERS.flatMap((field) => {
    const value = term[field];
    return value === undefined ? [] : [{ name, field, column: field, value }];
  });
  const list = (field: string, column: string, values: readonly (number | null)[]) =>
    values.forEach((value, index) => numbers.push({ name, field: `${field} ${index + 1}`, column, value }));
  if (term.values) list('example', 'examples', term.values);
  if (term.byToken) list('token', 'value', term.byToken);
  term.pattern?.forEach((row, query) => list(`query ${query} key`, 'pattern', row));
  for (const { name: path, clean, ablated } of term.takeover ?? []) {
    numbers.push(
      { name, field: `${path} clean`, column: 'value', value: clean },
      { name, field: `${path} ablated`, column: 'value', value: ablated },
    );
  }
  return numbers;
}

/** Of a head, as a page shows them. */
export const HEAD_SCORES = ['previous', 'duplicate', 'induction'] as const;

/** A number as it stands in the page's HTML. */
export interface Shown {
  key: string;
  /** as written in `data-value` */
  value: string;
  /** as written in `data-format`: how `text` was made of the value; null on older pages */
  format: string | null;
  /** what a person reads; null where that is not text alone */
  text: string | null;
}

/** How a page writes what it shows. */
export type Format = 'value' | 'signed' | 'word';

/** `value` as in `data-value`; null for a format that is none. */
export function writtenAs(value: string, format: string | null): string | null {
  switch (format as Format | null) {
    case 'value':
      return formatValue(Number(value));
    case 'signed':
      return formatSigned(Number(value));
    case 'word':
      return value;
    default:
      return null;
  }
}

const SHOWN = /data-number="([^"]*)" data-value="([^"]*)"(?: data-format="([^"]*)")?(?:>([^<]*)<\/span>)?/g;
const ENTITIES: Record<string, string> = { '&lt;': '<', '&gt;': '>', '&amp;': '&', '&quot;': '"', '&#39;': "'" };

/** The numbers that a page of ours carries. */
export function shownNumbers(html: string): Shown[] {
  const plain = (text: string) => text.replaceAll(/&(?:lt|gt|amp|quot|#39);/g, (entity) => ENTITIES[entity] ?? entity);
  return [...html.matchAll(SHOWN)].map(([, key = '', value = '', format, text]) => ({
    key: plain(key),
    value,
    format: format ?? null,
    text: text === undefined ? null : plain(text),
  }));
}
