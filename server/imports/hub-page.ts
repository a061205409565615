import { parseReference, type HubReference } from '../hub/reference.ts';
import { Refusal } from '../refusal.ts';

/** What people copy: OWNER/NAME, OWNER/NAME@REVISION, or the address of a model's page on the hub. */
export function referenceOf(text: string, endpoint: string): HubReference {
  if (!/^https?:\/\//i.test(text)) return parseReference(text);
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url?.origin !== new URL(endpoint).origin) {
    throw new Refusal('forbidden', 'import', `OWNER/NAME, or a page of ${endpoint} (HF_ENDPOINT)`, url?.origin ?? 'no address');
  }
  const [owner = '', name = '', , ...revision] = url.pathname.slice(1).split('/').map(decodeURIComponent);
  return parseReference(revision.length > 0 ? `${owner}/${name}@${revision.join('/')}` : `${owner}/${name}`);
}
