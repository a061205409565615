import { route } from '@/server/http.ts';
import { revokeInvite } from '@/server/invites.ts';

export const DELETE = route<{ inviteId: string }>(async ({ app, person, params: { inviteId } }) => revokeInvite(app, person, inviteId));
