import fc from 'fast-check';
import { expect, test } from 'vitest';
import { agreementOf, type Agreement, type Rating } from './agreement.ts';

/** Ratings that give these counts, for statistics that do not ask who said what. */
function ratingsOf(counts: readonly (readonly number[])[], labels: readonly string[]): { raters: string[]; ratings: Rating[] } {
  const most = Math.max(...counts.map((row) => row.reduce((sum, count) => sum + count, 0)));
  const raters = Array.from({ length: most }, (_, index) => `r${index}`);
  const ratings = counts.flatMap((row, item) =>
    row
      .flatMap((count, place) => Array.from({ length: count }, () => labels[place]!))
      .map((label, at) => ({ item, rater: raters[at]!, label })),
  );
  return { raters, ratings };
}

/** Fleiss 1971, table 1: 30 patients, 6 psychiatrists each, 5 diagnoses. */
const DIAGNOSES = ['depression', 'personality disorder', 'schizophrenia', 'neurosis', 'other'];
const PATIENTS = [
  '00060 03003 01401 00006 03030 20400 00402 20310 20040 00006 10050 11040 03300 10050 02031',
  '00501 30012 51000 02040 10203 00006 01050 02013 20040 10041 05010 40002 02040 10500 00006',
].flatMap((line) => line.split(' ').map((row) => [...row].map(Number)));

test('Fleiss 1971: psychiatric diagnoses, overall and by category', () => {
  const { raters, ratings } = ratingsOf(PATIENTS, DIAGNOSES);
  const { fleiss, observed, labels, items, singles } = agreementOf(DIAGNOSES, raters, ratings);
  expect([items, singles, ratings.length]).toEqual([30, 0, 180]);
  expect(observed.value).toBeCloseTo(0.5556, 4);
  expect(fleiss.value).toBeCloseTo(0.43, 3);
  expect(labels.map(({ share }) => Number(share?.toFixed(3)))).toEqual([0.144, 0.144, 0.167, 0.306, 0.239]);
  expect(labels.map(({ kappa }) => Number(kappa.value?.toFixed(3)))).toEqual([0.245, 0.245, 0.52, 0.471, 0.566]);
});

test('14 raters, 10 items, 5 categories: kappa 0.210', () => {
  const counts = [
    [0, 0, 0, 0, 14],
    [0, 2, 6, 4, 2],
    [0, 0, 3, 5, 6],
    [0, 3, 9, 2, 0],
    [2, 2, 8, 1, 1],
    [7, 7, 0, 0, 0],
    [3, 2, 6, 3, 0],
    [2, 5, 3, 2, 2],
    [6, 5, 2, 1, 0],
    [0, 2, 2, 3, 7],
  ];
  const labels = ['1', '2', '3', '4', '5'];
  const { raters, ratings } = ratingsOf(counts, labels);
  const { fleiss, observed, byItem } = agreementOf(labels, raters, ratings);
  expect(observed.value).toBeCloseTo(0.378, 3);
  expect(fleiss.value).toBeCloseTo(0.21, 3);
  const published = [1, 0.253, 0.308, 0.44, 0.33, 0.462, 0.242, 0.176, 0.286, 0.286];
  expect(byItem.map(({ agreement }) => Number(agreement?.toFixed(3)))).toEqual(published);
});

test('with gaps as irrCAC 0.4.4 (Gwet) computes it', () => {
  const sheets = [
    'daaaa bbbbb dbddd c-c-c cbccb dd-dd -dbb- ccbbb c--dd aaaad cccca cca-c -a-a- c-ad- aca-- -bc-- bc-c- cabbb d---d --b-b',
    'dbbaa ddddd ---aa bac-a da-ca b-cb- caccc abb-- db--c -bbdb cbaa- ---cd bab-- -bc-c dc-ac ddcd- dddbd cac-c cc--- ac--a',
  ].flatMap((line) => line.split(' '));
  const raters = ['1', '2', '3', '4', '5'];
  const ratings = sheets.flatMap((row, item) =>
    [...row].flatMap((label, at) => (label === '-' ? [] : [{ item, rater: raters[at]!, label }])),
  );
  const { fleiss, observed } = agreementOf(['a', 'b', 'c', 'd'], raters, ratings);
  expect(fleiss.value).toBeCloseTo(0.31516, 5);
  expect(observed.value).toBeCloseTo(0.48917, 5);
  // Its interval, from the variance over items, is 0.172 to 0.458.
  expect(Math.abs(fleiss.interval!.low - 0.172)).toBeLessThan(0.02);
  expect(Math.abs(fleiss.interval!.high - 0.458)).toBeLessThan(0.02);
});

/** Two raters, from the square table of what they said. */
function crossed(table: readonly (readonly number[])[]): { labels: string[]; ratings: Rating[] } {
  const labels = table.map((_, index) => `l${index}`);
  let item = 0;
  const ratings = table.flatMap((row, a) =>
    row.flatMap((count, b) =>
      Array.from({ length: count }, () => item++).flatMap((at) => [
        { item: at, rater: 'A', label: labels[a]! },
        { item: at, rater: 'B', label: labels[b]! },
      ]),
    ),
  );
  return { labels, ratings };
}

const pairOf = (table: number[][]): Agreement['pairs'][number] => {
  const { labels, ratings } = crossed(table);
  return agreementOf(labels, ['A', 'B'], ratings).pairs[0]!;
};

test('Cohen: 50 proposals read by two people, kappa 0.4', () => {
  const { kappa, observed, items } = pairOf([
    [20, 5],
    [10, 15],
  ]);
  expect([items, observed.value]).toEqual([50, 0.7]);
  expect(kappa.value).toBeCloseTo(0.4, 12);
});

test('Cohen 1960, table 1: 200 diagnoses by two psychologists, kappa 0.492', () => {
  const { kappa, observed } = pairOf([
    [88, 14, 18],
    [10, 40, 10],
    [2, 6, 12],
  ]);
  expect(observed.value).toBeCloseTo(0.7, 12);
  expect(kappa.value).toBeCloseTo(0.492, 3);
});

test('what has no value says why, and is neither zero nor a number that is none', () => {
  const labels = ['x', 'y', 'z'];
  const nothing = agreementOf(labels, ['A', 'B'], [{ item: 0, rater: 'A', label: 'x' }]);
  expect(nothing).toMatchObject({ items: 0, singles: 1, ratings: 0, fleiss: { value: null, interval: null, why: 'no-items' } });
  expect(nothing.pairs[0]).toMatchObject({ items: 0, kappa: { value: null, why: 'no-items' } });
  expect(nothing.byItem).toEqual([{ item: 0, ratings: 1, agreement: null }]);

  const both = (given: string[][]) =>
    agreementOf(
      labels,
      ['A', 'B'],
      given.flatMap(([a, b], item) => [
        { item, rater: 'A', label: a! },
        { item, rater: 'B', label: b! },
      ]),
    );
  const same = both([
    ['x', 'x'],
    ['x', 'x'],
  ]);
  expect(same.fleiss).toEqual({ value: null, interval: null, why: 'one-label' });
  expect(same.observed).toMatchObject({ value: 1, interval: { low: 1, high: 1 } });
  expect(same.labels.map(({ kappa }) => kappa.why)).toEqual(['always-used', 'never-used', 'never-used']);
  expect(same.pairs[0]!.kappa.why).toBe('one-label');

  const single = both([['x', 'y']]);
  expect(single.fleiss).toEqual({ value: -1, interval: null, why: 'one-item' });

  // One item in forty differs: a third of the resamples lacks it, and has no kappa.
  const rare = both([['x', 'y'], ...Array.from({ length: 39 }, () => ['x', 'x'])]);
  expect(rare.fleiss).toMatchObject({ value: expect.any(Number), interval: null, why: 'unstable' });
});

test('labels of no set, raters of no list and second labels are refused', () => {
  const one = { item: 0, rater: 'A', label: 'x' };
  expect(() => agreementOf(['y'], ['A'], [one])).toThrow('expected a label of the set');
  expect(() => agreementOf(['x'], ['B'], [one])).toThrow('expected a rater of the list');
  expect(() => agreementOf(['x'], ['A'], [one, one])).toThrow('got two');
});

test('an interval is the same for the same seed, and holds the value of a sample that is no edge case', () => {
  const { raters, ratings } = ratingsOf(PATIENTS, DIAGNOSES);
  const one = agreementOf(DIAGNOSES, raters, ratings, { seed: 7 });
  expect(agreementOf(DIAGNOSES, raters, ratings, { seed: 7 })).toEqual(one);
  const other = agreementOf(DIAGNOSES, raters, ratings, { seed: 8 });
  expect(other.fleiss.value).toBe(one.fleiss.value);
  expect(other.fleiss.interval).not.toEqual(one.fleiss.interval);
  const { low, high, resamples } = one.fleiss.interval!;
  expect([low < 0.43, high > 0.43, resamples]).toEqual([true, true, 2000]);
  // Two seeds tell nearly the same interval.
  expect(Math.abs(other.fleiss.interval!.low - low)).toBeLessThan(0.02);
});

test('the bootstrap covers what it should: about 95 of 100 samples hold the true kappa', () => {
  // Two raters, two labels with equal shares, who agree on 80%: kappa 0.6.
  let state = 1;
  const next = () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
  let holds = 0;
  for (let trial = 0; trial < 200; trial++) {
    const ratings = Array.from({ length: 80 }, (_, item) => {
      const first = next() < 0.5 ? 'x' : 'y';
      const second = next() < 0.8 ? first : first === 'x' ? 'y' : 'x';
      return [
        { item, rater: 'A', label: first },
        { item, rater: 'B', label: second },
      ];
    }).flat();
    const { interval } = agreementOf(['x', 'y'], ['A', 'B'], ratings, { seed: trial, resamples: 300 }).pairs[0]!.kappa;
    if (interval && interval.low <= 0.6 && interval.high >= 0.6) holds += 1;
  }
  expect(holds).toBeGreaterThanOrEqual(180);
  expect(holds).toBeLessThan(200);
});

const LABELS = ['a', 'b', 'c', 'd'];
const RATERS = ['p', 'q', 'r', 's', 't'];
/** For every item, who said what: a place in the label set, or null for nothing. */
const sheet = fc.array(fc.tuple(...RATERS.map(() => fc.option(fc.nat(LABELS.length - 1), { freq: 3 }))), { minLength: 1, maxLength: 12 });
type Sheet = (number | null)[][];

const listed = (rows: Sheet): Rating[] =>
  rows.flatMap((row, item) => row.flatMap((place, at) => (place === null ? [] : [{ item, rater: RATERS[at]!, label: LABELS[place]! }])));

/** The definition, pair of ratings by pair of ratings. */
function slowly(rows: Sheet): { observed: number; fleiss: number; labels: number[] } {
  const rated = rows.map((row) => row.filter((place) => place !== null)).filter((row) => row.length >= 2);
  const agree = (same: (a: number, b: number) => boolean) => {
    let sum = 0;
    for (const row of rated) {
      let pairs = 0;
      let agreeing = 0;
      row.forEach((a, i) =>
        row.forEach((b, j) => {
          if (i === j) return;
          pairs += 1;
          if (same(a, b)) agreeing += 1;
        }),
      );
      sum += agreeing / pairs;
    }
    return sum / rated.length;
  };
  const shares = LABELS.map(
    (_, label) => rated.reduce((sum, row) => sum + row.filter((place) => place === label).length / row.length, 0) / rated.length,
  );
  const observed = agree((a, b) => a === b);
  // Two ratings drawn by these shares.
  const chance = shares.reduce((sum, share) => sum + share * share, 0);
  const kappas = LABELS.map((_, label) => {
    const seen = agree((a, b) => (a === label) === (b === label));
    const share = shares[label]!;
    const byChance = share * share + (1 - share) * (1 - share);
    return (seen - byChance) / (1 - byChance);
  });
  return { observed, fleiss: (observed - chance) / (1 - chance), labels: kappas };
}

const near = (value: number | null, slow: number) => {
  // Where the definition divides nothing by nothing, there is no value.
  if (!Number.isFinite(slow) || Math.abs(slow) > 1e6) expect(value).toBeNull();
  else expect(value).toBeCloseTo(slow, 9);
};

test('what is computed is what the definitions say, for any sheet with gaps', () => {
  fc.assert(
    fc.property(sheet, (rows) => {
      const { fleiss, observed, labels, items } = agreementOf(LABELS, RATERS, listed(rows), { resamples: 5 });
      fc.pre(items > 0);
      const slow = slowly(rows);
      expect(observed.value).toBeCloseTo(slow.observed, 9);
      near(fleiss.value, slow.fleiss);
      labels.forEach(({ kappa }, index) => near(kappa.value, slow.labels[index]!));
    }),
    { seed: 11, numRuns: 300 },
  );
});

/** Null stays null; neither side of zero. */
const rounded = (value: number | null) => value && Math.round(value * 1e9) + 0;

test('neither the order of items, nor of raters, nor the names of labels matter; nothing passes 1', () => {
  fc.assert(
    fc.property(sheet, fc.nat(), (rows, turn) => {
      const plain = agreementOf(LABELS, RATERS, listed(rows), { resamples: 5 });
      const moved = rows.map((_, index) => rows[(index + turn) % rows.length]!);
      const people = moved.map((row) => row.toReversed());
      const renamed = people.map((row) => row.map((place) => (place === null ? null : (place + 1) % LABELS.length)));
      const other = agreementOf(LABELS, RATERS, listed(renamed), { resamples: 5 });
      expect(rounded(other.fleiss.value)).toBe(rounded(plain.fleiss.value));
      const values = [plain.fleiss, ...plain.labels.map(({ kappa }) => kappa), ...plain.pairs.map(({ kappa }) => kappa)];
      for (const { value } of values) expect(value ?? 0).toBeLessThanOrEqual(1 + 1e-12);
    }),
    { seed: 12, numRuns: 200 },
  );
});

test('kappa is the mean of the labels’ kappas, weighted by p(1 − p): Fleiss 1971, equation 15', () => {
  fc.assert(
    fc.property(sheet, (rows) => {
      const { fleiss, labels } = agreementOf(LABELS, RATERS, listed(rows), { resamples: 5 });
      if (fleiss.value === null) return;
      const weight = (share: number | null) => (share ?? 0) * (1 - (share ?? 0));
      const total = labels.reduce((sum, { share }) => sum + weight(share), 0);
      const mean = labels.reduce((sum, { share, kappa }) => sum + weight(share) * (kappa.value ?? 0), 0) / total;
      expect(mean).toBeCloseTo(fleiss.value, 9);
    }),
    { seed: 13, numRuns: 200 },
  );
});

test('everybody agrees on more than one label: every kappa that has a value is 1', () => {
  const ratings = ['a', 'b', 'a', 'c'].flatMap((label, item) => RATERS.map((rater) => ({ item, rater, label })));
  const { fleiss, labels, pairs } = agreementOf(LABELS, RATERS, ratings);
  expect(fleiss.value).toBe(1);
  expect(labels.map(({ kappa }) => kappa.value)).toEqual([1, 1, 1, null]);
  expect(pairs.map(({ kappa }) => kappa.value)).toEqual(pairs.map(() => 1));
});
