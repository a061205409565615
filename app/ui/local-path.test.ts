import { expect, it } from 'vitest';
import { localPath } from './local-path.ts';

it('goes to places of this site alone', () => {
  expect(localPath('/boards/abc?select=a0.h1')).toBe('/boards/abc?select=a0.h1');
  for (const other of ['https://example.org', '//example.org', '/\\example.org', '/\t/example.org', 'javascript:alert(1)', undefined, '']) {
    expect(localPath(other)).toBe('/');
  }
});
