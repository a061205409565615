import { publicRoute } from '@/server/http.ts';
import { signInOptions } from '@/server/sign-in.ts';

export const GET = publicRoute(async ({ app }) => signInOptions(app));
