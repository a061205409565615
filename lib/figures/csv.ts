import type { Answer, Term } from '../engine/index.ts';
import { columnsOf, exactText, principalLook, type Cell } from './columns.ts';

/** Lists and matrices of a term, each in one cell as JSON. */
const NESTED = ['byToken', 'takeover', 'pattern'] as const satisfies readonly (keyof Term)[];

/** All fields of all terms at full precision, with names and units in the first line (RFC 4180). */
export function csvOf(answer: Answer): string {
  const { terms } = answer;
  const columns = columnsOf(answer);
  const examples = terms.reduce((most, term) => Math.max(most, term.values?.length ?? 0), 0);
  const principal = principalLook(answer);
  const nested = NESTED.filter((field) => terms.some((term) => term[field] !== undefined));
  const head = [
    ...columns.map(({ title, unit }) => withUnit(title, unit)),
    ...Array.from({ length: examples }, (_, index) => withUnit(`${principal.title}, example ${index + 1}`, principal.unit)),
    ...nested,
  ];
  const rowOf = (term: Term): Cell[] => [
    ...columns.map((column) => column.read(term)),
    ...Array.from({ length: examples }, (_, index) => term.values?.[index]),
    ...nested.map((field) => (term[field] === undefined ? undefined : JSON.stringify(term[field]))),
  ];
  return [head, ...terms.map(rowOf)].map((cells) => `${cells.map((cell) => quoted(exactText(cell))).join(',')}\r\n`).join('');
}

/** A file name that says which model and which view. */
export function fileName({ model, view }: Answer, extension: string): string {
  return `pathboard-${model.name.replace(/[^A-Za-z0-9._-]+/g, '-')}-${view}.${extension}`;
}

function withUnit(title: string, unit: string | null): string {
  return unit === null ? title : `${title} (${unit})`;
}

function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
