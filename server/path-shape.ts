/** The words of our own addresses. Anything else in a path may be a secret, a title, or whatever somebody typed. */
const WORDS = new Set(
  (
    '_next access account again analyze api audit auth backup bin boards callback change-password claims collab comments discussion board email ' +
    'embed enter evidence export get-session healthz icon.svg import imports invites join link link-social list-accounts list-sessions local me members metrics models p p-assets ' +
    'password publications publish readyz revoke-other-sessions revoke-session revoke-sessions runs sign-in sign-out sign-up social stance static threads ' +
    'tokenize tokens transfer undelete unlink-account verify versions workspaces'
  ).split(' '),
);
/** The ids that the server makes: 16 letters of base64url, or a UUID. */
const ID = /^(?:[\w-]{16}|[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12})$/;
const BEFORE_ID = new Set(['boards', 'workspaces', 'board', 'discussion']);

/** A path as it may stand in a log: `/api/boards/kX0…/comments/…`. */
export function shapeOf(url: string): string {
  const [path = '/'] = url.split('?', 1);
  return path
    .split('/')
    .map((segment, index, all) => {
      const isKnown = segment === '' || WORDS.has(segment) || (BEFORE_ID.has(all[index - 1] ?? '') && ID.test(segment));
      return isKnown ? segment : '…';
    })
    .join('/');
}
