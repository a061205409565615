import { pino, type DestinationStream } from 'pino';
import { reportOf, scrub, type ErrorReport } from './error-report.ts';

/**
 * The server's log: JSON lines on standard error, or lines for people where that is a terminal. Never what somebody
 * wrote, never a cookie, a token, a query or an e-mail address: facts are numbers and words of ours, text from
 * elsewhere passes {@link scrub}.
 */
export interface Log {
  debug(message: string, facts?: Facts): void;
  info(message: string, facts?: Facts): void;
  warn(message: string, facts?: Facts): void;
  error(message: string, error: unknown): void;
}

export type Facts = Record<string, string | number | boolean | null>;

interface Line {
  time: string;
  level: string;
  message: string;
  error?: ErrorReport;
  [fact: string]: unknown;
}

export function createLog(level: string, destination: DestinationStream = standardError()): Log {
  const logger = pino(
    {
      level,
      base: null,
      messageKey: 'message',
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
  return {
    debug: (message, facts) => logger.debug(scrubbed(facts), scrub(message)),
    info: (message, facts) => logger.info(scrubbed(facts), scrub(message)),
    warn: (message, facts) => logger.warn(scrubbed(facts), scrub(message)),
    error: (message, error) => logger.error({ error: reportOf(error) }, scrub(message)),
  };
}

function scrubbed(facts: Facts = {}): Facts {
  return Object.fromEntries(Object.entries(facts).map(([name, value]) => [name, typeof value === 'string' ? scrub(value) : value]));
}

/** Written before anything else happens: the last lines of a process that dies are the ones that matter. */
function standardError(): DestinationStream {
  if (!process.stderr.isTTY) return pino.destination({ dest: 2, sync: true });
  return { write: (line) => void process.stderr.write(humanLine(JSON.parse(line) as Line)) };
}

/** `14:03:22 error POST /api/boards: Error: …` and where. */
export function humanLine({ time, level, message, error, ...facts }: Line): string {
  const told = Object.entries(facts).map(([name, value]) => `${name}=${String(value)}`);
  const line = [time.slice(11, 19), level, message, ...told].join(' ');
  return `${line}${error ? `: ${linesOf(error)}` : ''}\n`;
}

function linesOf({ type, message, code, stack = [], cause, errors = [] }: ErrorReport): string {
  const first = `${type}${code === undefined ? '' : ` ${code}`}: ${message}`;
  const below = [...(cause ? [`caused by ${linesOf(cause)}`] : []), ...errors.map(linesOf)];
  return [first, ...stack.map((frame) => `    ${frame}`), ...below].join('\n');
}

declare global {
  var pathboardLog: Log | undefined;
}

/** Of this process. On the global object, because Next bundles what routes import apart from the server. */
export function log(): Log {
  return (globalThis.pathboardLog ??= createLog('warn'));
}

export function setLog(made: Log): void {
  globalThis.pathboardLog = made;
}

/**
 * What libraries print goes the same way: Next, for one, prints the errors of pages with all that they hold. Call
 * what is returned to let them print again.
 */
export function captureConsole(): () => void {
  const { error, warn, log: print, info, debug, trace } = console;
  const lineOf = (given: unknown[]) => given.map((part) => (typeof part === 'string' ? part : typeof part)).join(' ');
  const isFault = (part: unknown) => typeof part === 'object' && part !== null && 'message' in part;
  const quiet = (...given: unknown[]) => log().debug(lineOf(given));
  Object.assign(console, {
    error: (...given: unknown[]) => log().error('printed', given.find(isFault) ?? lineOf(given)),
    warn: (...given: unknown[]) => log().warn(lineOf(given)),
    log: quiet,
    info: quiet,
    debug: quiet,
    trace: quiet,
  });
  return () => Object.assign(console, { error, warn, log: print, info, debug, trace });
}
