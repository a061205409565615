import { expect, test } from 'vitest';
import { reportOf, scrub } from './error-report.ts';
import { shapeOf } from './path-shape.ts';
import { createLog, humanLine } from './log.ts';

function lines(level: string, write: (log: ReturnType<typeof createLog>) => void): Record<string, unknown>[] {
  const written: string[] = [];
  write(createLog(level, { write: (line) => void written.push(line) }));
  return written.map((line) => JSON.parse(line) as Record<string, unknown>);
}

test('a line is JSON with a time, a level and facts', () => {
  const [line, ...more] = lines('info', (log) => {
    log.info('refused', { status: 403, route: 'page' });
    log.debug('answered', { status: 200 });
  });
  expect(line).toEqual({ level: 'info', time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/), message: 'refused', status: 403, route: 'page' });
  expect(more).toEqual([]);
});

/** What drizzle and both drivers throw. */
function failedQuery(): Error {
  const cause = Object.assign(new Error('invalid input syntax for type uuid: "canary "x" canary"'), {
    name: 'error',
    code: '22P02',
    table: 'people',
    constraint: 'people_email',
    detail: 'Key (email)=(canary@example.org) already exists.',
    query: 'select $1::uuid',
    params: ['canary'],
  });
  return Object.assign(new Error('Failed query: select $1::uuid\nparams: canary "x" y\ncanary', { cause }), {
    query: 'select "id" from "people" where "email" = $1',
    params: ['canary'],
  });
}

test('a failed query is told without its parameters, with its code and where', () => {
  const [line] = lines('error', (log) => log.error('POST /api/me', failedQuery()));
  expect(JSON.stringify(line)).not.toContain('canary');
  expect(line?.['error']).toMatchObject({
    message: 'Failed query: select "id" from "people" where "email" = $1',
    stack: expect.arrayContaining([expect.stringContaining('log.test.ts')]),
    cause: { code: '22P02', table: 'people', constraint: 'people_email', message: 'invalid input syntax for type uuid: "…"' },
  });
});

test.each([
  ['a value: expected 1, got "canary\\" canary"', 'a value: expected 1, got "…"'],
  ['Unexpected token, "canary" is not "JSON"', 'Unexpected token, "…"'],
  ['no mail to canary@example.org.', 'no mail to …@…'],
  ['connect to postgres://ada:canary@db:5432/board', 'connect to postgres://…@…/board'],
  ['GET /enter?token=canary', 'GET /enter?…'],
  ['GET /join/canary_canary', 'GET /join/…'],
  ['GET /p/canary-title/v2', 'GET /p/…/v2'],
  [`a token ${'canary'.repeat(8)} too`, 'a token … too'],
  ['POST /api/boards/0f8fad5b-d9cb-469f-a165-70867728950e/runs', 'POST /api/boards/0f8fad5b-d9cb-469f-a165-70867728950e/runs'],
])('%j is written as %j', (text, written) => {
  expect(scrub(text)).toBe(written);
});

test.each([
  ['/', '/'],
  ['/api/boards/kX0_aaaaaaaaaa-1/comments/canary?q=canary', '/api/boards/kX0_aaaaaaaaaa-1/comments/…'],
  ['/join/canary', '/join/…'],
  ['/api/models/canary/tokenize', '/api/models/…/tokenize'],
  ['/canary/%', '/…/…'],
  ['/boards/canary', '/boards/…'],
])('the path %j is written as %j', (url, written) => {
  expect(shapeOf(url)).toBe(written);
});

test('nothing of what is thrown but is no error is told', () => {
  expect(
    JSON.stringify([{ prompt: 'canary' }, ['canary'], () => 'canary', Symbol('canary')].map((thrown) => reportOf(thrown))),
  ).not.toContain('canary');
  const nested = new AggregateError([new Error('"canary"'), new Error('refused')], 'all failed', { cause: { prompt: 'canary' } });
  expect(reportOf(nested)).toMatchObject({
    type: 'AggregateError',
    message: 'all failed',
    errors: [{ message: '"…"' }, { message: 'refused' }],
  });
  expect(JSON.stringify(reportOf(nested))).not.toContain('canary');
});

test('a message whose lines look like a stack is no part of it', () => {
  const error = new Error('first\n    at canary (canary:1:1)');
  expect(reportOf(error).stack).toEqual(expect.arrayContaining([expect.stringContaining('log.test.ts')]));
  expect(reportOf(error).stack?.join()).not.toContain('canary');
});

test('a terminal is shown lines for people', () => {
  const time = '2026-11-23T14:03:22.000Z';
  expect(humanLine({ time, level: 'info', message: 'limited', kind: 'heavy' })).toBe('14:03:22 info limited kind=heavy\n');
  expect(
    humanLine({ time, level: 'error', message: 'bus', error: { type: 'Error', code: 'ECONNRESET', message: 'read', stack: ['at a'] } }),
  ).toBe('14:03:22 error bus: Error ECONNRESET: read\n    at a\n');
});
