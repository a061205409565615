/** What may be told of an error in a log: what and where it was, and nothing that a person wrote. */
export interface ErrorReport {
  type: string;
  message: string;
  code?: string;
  /** of the database: what a statement ran into */
  table?: string;
  constraint?: string;
  stack?: string[];
  cause?: ErrorReport;
  errors?: ErrorReport[];
}

const LONGEST = 500;
const DEEPEST = 5;
const TOLD = ['code', 'table', 'constraint'] as const;

export function reportOf(error: unknown, depth = 0): ErrorReport {
  if (typeof error === 'string') return { type: 'string', message: scrub(error) };
  if (!(error instanceof Error) && !isErrorLike(error)) return { type: typeof error, message: 'thrown, and no error' };
  const report: ErrorReport = { type: error.name, message: messageOf(error) };
  for (const field of TOLD) {
    const value: unknown = Reflect.get(error, field);
    if (typeof value === 'string' || typeof value === 'number') report[field] = String(value);
  }
  const frames = framesOf(error);
  if (frames.length > 0) report.stack = frames;
  if (depth === DEEPEST) return report;
  if (error.cause !== undefined) report.cause = reportOf(error.cause, depth + 1);
  if (error instanceof AggregateError) report.errors = error.errors.slice(0, DEEPEST).map((one) => reportOf(one, depth + 1));
  return report;
}

/**
 * Takes out what may be somebody's: the parameters of a statement, what is quoted, addresses of people and of
 * pages whose path or query is a secret or a title, and whatever is long enough to be a token.
 */
export function scrub(text: string): string {
  return text
    .replace(/\n\s*params: [\s\S]*/, '')
    .replace(/"[\s\S]*"/g, '"…"')
    .replace(/[^\s/@"]+(?:@|%40)[^\s/@"]+/g, '…@…')
    .replace(/\?\S+/g, '?…')
    .replace(/\/(join|p|models)\/[^/\s?]+/g, '/$1/…')
    .replace(/[\w-]{40,}/g, '…')
    .slice(0, LONGEST);
}

/** A statement of drizzle's holds places for its parameters, and names in quotes; its message repeats the parameters. */
function messageOf(error: Error): string {
  const query: unknown = Reflect.get(error, 'query');
  const isStatement = typeof query === 'string' && error.message.startsWith('Failed query: ');
  return isStatement ? `Failed query: ${query}`.slice(0, LONGEST) : scrub(error.message);
}

/** A stack begins with the message, whose lines may look like frames. */
function framesOf({ stack = '', message }: Error): string[] {
  const after = message === '' ? 0 : stack.indexOf(message) + message.length;
  return stack
    .slice(after)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => /^at .*(?::\d+:\d+\)?|\))$/.test(line))
    .slice(0, 20);
}

/** Of another realm or bundle. */
function isErrorLike(value: unknown): value is Error {
  return typeof value === 'object' && value !== null && 'message' in value && typeof value.message === 'string' && 'name' in value;
}
