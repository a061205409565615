import type { z } from 'zod';
import type { SessionDetail, SessionResults, exportForm } from '../../lib/wire.ts';
import type { Person } from '../access.ts';
import type { App } from '../app.ts';
import { resultsOf } from './results.ts';
import { detailOf, openSession } from './sessions.ts';

type Cell = string | number | boolean | null;

const TYPES = { long: 'text/csv', matrix: 'text/csv', json: 'application/json' } as const;

/** What came of a session as a file: a row for each label, a row for each item, or everything that is known of it. */
export async function exportSession(app: App, person: Person, id: string, form: z.infer<typeof exportForm>): Promise<Response> {
  const { session, member } = await openSession(app, person, id, 'board.read');
  const results = await resultsOf(app.db, session);
  const { mine: _, progress: __, ...detail } = await detailOf(app, member, session);
  const text =
    form === 'json'
      ? `${JSON.stringify({ ...detail, ...results }, null, 2)}\n`
      : csvOf((form === 'long' ? longRows : matrixRows)(detail, results));
  const name = `pathboard-session-${fileName(session.name)}${form === 'json' ? '' : `-${form}`}.${form === 'json' ? 'json' : 'csv'}`;
  return new Response(text, {
    headers: {
      'content-type': `${TYPES[form]}; charset=utf-8`,
      'content-disposition': `attachment; filename="${name}"`,
      'cache-control': 'no-store',
    },
  });
}

type Detail = Pick<SessionDetail, 'name' | 'people'>;

/** One row a label, those given after the reveal too. */
function longRows({ name }: Detail, { items }: SessionResults): Cell[][] {
  const head = [
    'session',
    'item',
    'anchor',
    'title',
    'value (logits)',
    'annotator',
    'annotator id',
    'label',
    'blind',
    'unsure',
    'note',
    'at',
  ];
  const rows = items.flatMap(({ item, anchor, title, value, labels }) =>
    labels.map(({ author, label, blind, unsure, note, at }) => [
      name,
      item,
      anchor,
      title,
      value,
      author.name,
      author.id,
      label,
      blind,
      unsure,
      note,
      new Date(at).toISOString(),
    ]),
  );
  return [head, ...rows];
}

/** One row an item, one column an annotator, blind labels alone: what the agreement is computed of. */
function matrixRows({ people }: Detail, { items }: SessionResults): Cell[][] {
  const names = people.map(({ name, id }) => (people.some((other) => other.id !== id && other.name === name) ? `${name} (${id})` : name));
  const head = ['item', 'anchor', 'title', 'value (logits)', ...names];
  const rows = items.map(({ item, anchor, title, value, labels }): Cell[] => {
    const blind = new Map(labels.filter((one) => one.blind).map(({ author, label }) => [author.id, label]));
    return [item, anchor, title, value, ...people.map(({ id }) => blind.get(id) ?? null)];
  });
  return [head, ...rows];
}

function csvOf(rows: readonly Cell[][]): string {
  return rows.map((cells) => `${cells.map(cellText).join(',')}\r\n`).join('');
}

/** As RFC 4180 says. What a person wrote must not be taken for a formula by a spreadsheet: it begins with an apostrophe then. */
function cellText(cell: Cell): string {
  if (cell === null) return '';
  if (typeof cell !== 'string') return String(cell);
  const text = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function fileName(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9._-]+/g, '-').slice(0, 60);
}
