import { listBin } from '@/server/bin.ts';
import { route } from '@/server/http.ts';

export const GET = route<{ workspaceId: string }>(async ({ app, person, params: { workspaceId } }) => listBin(app, person, workspaceId));
