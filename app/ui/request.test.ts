import { afterEach, expect, test, vi } from 'vitest';
import { RequestFailure, request } from './request.ts';

afterEach(() => {
  vi.unstubAllGlobals();
});

test('an answer that breaks off is as good as none: it can be asked for again', async () => {
  const body = new ReadableStream({
    pull(controller) {
      controller.error(new TypeError('Failed to fetch'));
    },
  });
  vi.stubGlobal('fetch', async () => new Response(body, { status: 200 }));
  const failure = await request('/api/anything').catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(RequestFailure);
  expect((failure as RequestFailure).isOffline).toBe(true);
});
