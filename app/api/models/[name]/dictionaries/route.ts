import { route } from '@/server/http.ts';

export const GET = route<{ name: string }>(async ({ app, params }) => app.models.dictionaries(params.name));
