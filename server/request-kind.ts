/** What a request costs and what it could be misused for: each kind has limits and measurements of its own. */
export const KINDS = ['static', 'reading', 'writing', 'heavy', 'upload', 'sign-in', 'join', 'verify', 'upgrade'] as const;
export type Kind = (typeof KINDS)[number];

const READING = ['GET', 'HEAD', 'OPTIONS'];
const STATIC = /^\/(?:_next\/static\/|p-assets\/|icon\.svg$|favicon\.ico$)/;
/** Guesses at passwords and at one-time links. */
const SIGN_IN = /^\/(?:enter$|api\/auth\/(?:sign-in|sign-up|change-password|verify-password|set-password)\b|api\/me\/account$)/;
const JOIN = /^\/(?:join\/|api\/join$)/;
/** What occupies the engine, or writes much at once. */
const HEAVY =
  /^\/api\/(?:analyze|imports|boards\/[^/]+\/(?:runs|publish|import|versions|sessions|claims\/[^/]+\/evidence|evidence\/[^/]+\/again))$/;
/** Reads, and computes what it answers. */
const COMPUTED = /^\/api\/boards\/[^/]+\/export$/;
/** Computes a whole page anew, for anybody. */
const VERIFY = /^\/p\/[^/]+\/[^/]+\/verify$/;
/** A piece of a model's file, one of very many. */
const UPLOAD = /^\/api\/imports\/[^/]+\/files\/[^/]+$/;
/** Asked while somebody types. */
const QUESTION = /^\/api\/models\/[^/]+\/tokenize$/;

export function kindOf(method: string, path: string): Kind {
  const reads = READING.includes(method);
  if (STATIC.test(path)) return 'static';
  if (SIGN_IN.test(path) && (!reads || path === '/enter')) return 'sign-in';
  if (JOIN.test(path)) return 'join';
  if (COMPUTED.test(path)) return 'heavy';
  if (VERIFY.test(path) && !reads) return 'verify';
  if (UPLOAD.test(path)) return 'upload';
  if (reads || QUESTION.test(path)) return 'reading';
  return HEAVY.test(path) ? 'heavy' : 'writing';
}
