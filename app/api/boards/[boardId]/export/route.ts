import { exportFormat } from '@/lib/wire.ts';
import { route } from '@/server/http.ts';
import { exportBoard } from '@/server/interchange.ts';
import { Refusal } from '@/server/refusal.ts';

export const GET = route<{ boardId: string }>(async ({ app, person, params: { boardId }, request }) => {
  const given = new URL(request.url).searchParams.get('format') ?? '';
  const format = exportFormat.safeParse(given);
  if (!format.success) throw new Refusal('bad-request', 'format', exportFormat.options.join(', '), JSON.stringify(given.slice(0, 100)));
  const { name, type, body } = await exportBoard(app, person, boardId, format.data, { signal: request.signal });
  return new Response(body, {
    headers: { 'content-type': type, 'content-disposition': `attachment; filename="pathboard-${name}"`, 'cache-control': 'no-store' },
  });
});
