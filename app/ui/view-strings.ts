import { few } from './few.ts';

/** What the views of a board say. */
export const viewStrings = {
  unravel: {
    grid: 'Paths, from the logits backwards',
    scope:
      'An identity about this run. Value paths: attention patterns, norm scales and gates are held at this run; influence through q and k is credited to nobody.',
    scopeShort: 'about this run: value paths',
    openUntil: (percent: string) => `Open until ${percent}`,
    mass: 'of Σ|value| in complete paths',
    masses: 'How much to open',
    reaching: (share: string) => `${share} in paths`,
    reached: (share: string) => `${share} of Σ|value| lies in complete paths.`,
    stopped: (share: string) => `Stopped at ${share} of Σ|value| in complete paths: the list is full.`,
    restoring: 'opening what the link names',
    notRestored: (count: number) => `${few(count, 'suffix', 'suffixes')} of the link are no part of this model.`,
    columns: { path: 'Path', bar: 'Value', value: 'logits', share: 'of metric', comments: 'Comments', people: 'Who' },
    comments: (count: number) => few(count, 'comment', 'comments'),
    smaller: (count: string) => `${count} smaller terms`,
    filtered: (count: string) => `${count} ${count === '1' ? 'term' : 'terms'} that the filter hides`,
    complete: (count: string) => `Σ ${count} complete ${count === '1' ? 'path' : 'paths'}`,
    remainder: (count: string) => `remainder: Σ ${count} unopened ${count === '1' ? 'suffix' : 'suffixes'}`,
    totals: (complete: string, paths: string, unopened: string, suffixes: string, metric: string, error: string) =>
      `${complete} in ${paths} complete paths + ${unopened} in ${suffixes} unopened suffixes = ${metric}, error ${error}`,
    filter: 'Filter the rows by name or label',
    filterPlaceholder: 'name or label',
    least: 'Least share of the metric',
    leastAny: 'any share',
    leastOf: (percent: string) => `≥ ${percent}`,
    rows: (count: string) => `${count} rows`,
    allCsv: 'CSV of all',
    allCsvLong: 'Download every opened path as CSV',
    figure: (metric: string) => `The largest terms of the metric ${metric}`,
    others: (count: string) => `${count} other terms`,
    copied: (name: string) => `Copied the row of ${name}.`,
    from: (path: string) => `By source token: ${path}`,
    column: { name: 'path', kind: 'is', level: 'depth', degree: 'degree', value: 'value', share: 'share of the metric', labels: 'labels' },
    kinds: { path: 'path', opened: 'suffix, opened', suffix: 'suffix, unopened', rest: 'smaller terms', complete: 'complete paths' },
  },

  degrees: {
    meaning:
      'Bars: the exact sum of all paths with that many components. Line: the sum up to there. Value paths of this run, as in Unravel.',
    chart: 'Chart of the degrees',
    caption: 'Sum of all paths by degree',
    columns: { degree: 'Degree', value: 'Logits', share: 'Of metric', running: 'Up to here' },
    total: (sum: string, metric: string, error: string) => `Σ ${sum} = metric ${metric}, error ${error}`,
  },
};
