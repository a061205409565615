/** What a driver's error has, whichever driver threw it and however often it was wrapped. */
interface DriverError {
  code: string | null;
  constraint: string | null;
  message: string;
}

const DEEPEST = 10;
/** Classes of SQLSTATE: no connection, too few resources, the operator intervened (but for a cancelled statement). */
const UNAVAILABLE = /^(?:08...|53...|57P0.)$/;
const SYSTEM = ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'];
/** What `pg` says without a code. */
const MESSAGES = /timeout exceeded when trying to connect|Connection terminated|Client has encountered a connection error/;

/** Whether a statement failed because the database could not be reached, rather than for what it said. */
export function isUnavailable(error: unknown): boolean {
  return causesOf(error).some(
    ({ code, message }) =>
      (code !== null && (UNAVAILABLE.test(code) || SYSTEM.includes(code))) || (code === null && MESSAGES.test(message)),
  );
}

/** Whether a statement would have broken this unique index. */
export function breaksUnique(error: unknown, index: string): boolean {
  return causesOf(error).some(({ code, constraint }) => code === '23505' && constraint === index);
}

function causesOf(error: unknown): DriverError[] {
  const causes: DriverError[] = [];
  let next = error;
  for (let depth = 0; depth < DEEPEST && typeof next === 'object' && next !== null; depth++) {
    causes.push({ code: textIn(next, 'code'), constraint: textIn(next, 'constraint'), message: textIn(next, 'message') ?? '' });
    next = 'cause' in next ? next.cause : null;
  }
  return causes;
}

function textIn(value: object, field: string): string | null {
  const found: unknown = Reflect.get(value, field);
  return typeof found === 'string' ? found : null;
}
