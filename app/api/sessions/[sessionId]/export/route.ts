import { exportForm } from '@/lib/wire.ts';
import { exportSession } from '@/server/annotation/export.ts';
import { route } from '@/server/http.ts';
import { Refusal } from '@/server/refusal.ts';

export const GET = route<{ sessionId: string }>(({ app, person, params: { sessionId }, request }) => {
  const asked = new URL(request.url).searchParams.get('as');
  const form = exportForm.safeParse(asked);
  if (form.success) return exportSession(app, person, sessionId, form.data);
  throw new Refusal('bad-request', 'as', `one of ${exportForm.options.join(', ')}`, JSON.stringify(asked?.slice(0, 100) ?? null));
});
