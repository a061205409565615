import { expect, test } from 'vitest';
import { csvTable } from './tables.ts';

test('what people wrote is no formula, and numbers stay numbers', () => {
  const rows = [
    ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', 'a=1'],
    [-1, 1e-7, null, true, '"=1"', ''],
  ] as const;
  expect(csvTable(['a', 'b', 'c', 'd', 'e', 'f'], rows).split('\r\n')).toEqual([
    'a,b,c,d,e,f',
    "'=1+1,'+1,'-1,'@SUM(A1),'\t=1,a=1",
    '-1,1e-7,,true,"""=1""",',
    '',
  ]);
});
