import { route } from '@/server/http.ts';
import { modelDetail, removeModel } from '@/server/model-uses.ts';
import { Refusal } from '@/server/refusal.ts';

export const GET = route<{ name: string }>(({ app, person, params }) => modelDetail(app, person, params.name));

export const DELETE = route<{ name: string }>(({ app, person, params, request }) => {
  const asked = new URL(request.url).searchParams;
  const hash = asked.get('hash') ?? '';
  if (hash === '' || hash.length > 100)
    throw new Refusal('bad-request', 'hash', 'the sha256 of the model that is meant', JSON.stringify(hash.slice(0, 100)));
  return removeModel(app, person, params.name, { hash, evenIfUsed: asked.get('used') === 'yes' });
});
