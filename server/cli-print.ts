import { TERM_NUMBERS, type Answer, type AnsweredExample, type Term } from '../lib/engine/index.ts';

const DIGITS = 9;

/** An answer for people: what it is of, its terms as a table, and what a reader must know. */
export function linesOf(answer: Answer): string[] {
  return [heading(answer), ...metricLines(answer), ...termLines(answer), ...totalLines(answer), ...restLines(answer), ...answer.notes];
}

function heading({ view, kind, model, position, target, targetText, foil, foilText, examples, settings }: Answer): string {
  const of = `${view} (${kind}) of ${model.name}`;
  if (examples) return `${of}, mean over ${examples.length} prompts${settings?.['promptSet'] ? ` of ${settings['promptSet']}` : ''}`;
  if (target === null) return of;
  const shown = (token: number, text: string | undefined) => (text === undefined ? String(token) : `${JSON.stringify(text)} (${token})`);
  return `${of} at position ${position}: ${shown(target, targetText)}${foil === null ? '' : ` against ${shown(foil, foilText)}`}`;
}

function metricLines({ metric, counterfactualMetric, examples }: Answer): string[] {
  if (metric === null) return [];
  const mean = examples ? 'mean metric' : 'metric';
  return [`${mean} ${metric}`, ...(counterfactualMetric === undefined ? [] : [`${mean} of the counterfactual ${counterfactualMetric}`])];
}

function termLines({ terms, remainder, settings }: Answer): string[] {
  const columns = TERM_NUMBERS.filter((column) => terms.some((term) => term[column] !== undefined));
  const rows = terms.map((term) => [...columns.map((column) => cell(term[column])), nameOf(term)]);
  if (remainder !== undefined && columns.includes('value'))
    rows.push([...columns.map((column) => (column === 'value' ? cell(remainder) : '')), 'remainder']);
  // Where terms have no value, the spread is of the number that the settings name.
  const heads = columns.map((column) => (column === 'spread' && settings?.['values'] ? `spread of ${settings['values']}` : column));
  const lines = table(columns.length > 1 ? [[...heads, ''], ...rows] : rows);
  const first = lines.length - rows.length;
  return [...lines.slice(0, first), ...rows.flatMap((_, index) => [lines[first + index]!, ...detailLines(terms[index])])];
}

function nameOf({ name, text, fromText, toText }: Term): string {
  if (fromText !== undefined) return `${name}  ${JSON.stringify(fromText)} -> ${JSON.stringify(toText)}`;
  return text === undefined ? name : `${name}  ${JSON.stringify(text)}`;
}

/** What hangs on one term: paths that took over, an attention pattern. */
function detailLines(term: Term | undefined): string[] {
  const takeover = table((term?.takeover ?? []).map(({ name, clean, ablated }) => [`${cell(clean)} -> ${cell(ablated)}`, name]));
  const pattern = table(
    (term?.pattern ?? []).map((row, query) => [`query ${query}`, ...row.slice(0, query + 1).map((weight) => weight.toFixed(3)), '']),
  );
  return [...takeover, ...pattern].map((line) => `    ${line}`);
}

function totalLines({ terms, remainder, joint, whole, error, search, largestUnopened, extent }: Answer): string[] {
  const isInTable = terms.some(({ value }) => value !== undefined);
  return [
    ...(remainder === undefined || isInTable ? [] : [`remainder ${remainder}`]),
    ...(joint ? [`together ${joint.value}`] : []),
    ...(extent && extent.unlisted > 0
      ? [`${extent.edges} edges of Σ|value| ${cell(extent.mass)}; those not listed hold ${cell(extent.unlisted)} of it`]
      : []),
    ...(whole ? [`the terms are parts of ${whole.name}: ${whole.value}`] : []),
    ...(error === undefined ? [] : [`identity error ${error}`]),
    ...(search ? [`search ${search}, largest unopened ${largestUnopened}`] : []),
  ];
}

function restLines({ defects, baseline, examples, settings }: Answer): string[] {
  const random = Object.entries(baseline ?? {}).map(
    ([slot, { mean, deviation }]) => `random heads, ${slot}: mean ${cell(mean)}, deviation ${cell(deviation)}`,
  );
  const chosen = Object.entries(settings ?? {}).map(([name, value]) => `${name}: ${value ?? 'none'}`);
  return [
    ...(defects
      ? table([['defect', 'with frozen scale', ''], ...defects.map((one) => [cell(one.live), cell(one.frozenScale), one.name])])
      : []),
    ...random,
    ...(examples ? exampleLines(examples) : []),
    ...(chosen.length > 0 ? [chosen.join('; ')] : []),
  ];
}

/** Prompts and donors by their number, from 1, as errors and the terms of a prompt set name them. */
function exampleLines(examples: readonly AnsweredExample[]): string[] {
  const withError = examples.some(({ error }) => error !== undefined);
  const withDonor = examples.some(({ donor }) => donor !== undefined);
  const rows = examples.map(({ metric, error, donor, tokens, tokenTexts }, index) => [
    String(index + 1),
    cell(metric),
    ...(withError ? [error?.toExponential(1) ?? ''] : []),
    ...(withDonor ? [donor === undefined ? '' : String(donor + 1)] : []),
    tokenTexts ? JSON.stringify(tokenTexts.join('')) : tokens.join(),
  ]);
  return table([['example', 'metric', ...(withError ? ['error'] : []), ...(withDonor ? ['donor'] : []), ''], ...rows]);
}

function cell(value: number | null | undefined): string {
  return value === undefined ? '' : value === null ? 'none' : String(Number(value.toPrecision(DIGITS)));
}

/** All columns but the last aligned to the right, empty ones left out. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows.reduce<number[]>((most, row) => row.map((text, column) => Math.max(text.length, most[column] ?? 0)), []);
  return rows.map((row) =>
    row
      .flatMap((text, column) => {
        const last = column === row.length - 1;
        return widths[column] === 0 ? [] : [last ? text : text.padStart(widths[column]!)];
      })
      .join('  ')
      .trimEnd(),
  );
}
