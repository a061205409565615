import type { Readable, Writable } from 'node:stream';
import { Refusal } from '../refusal.ts';

interface Terminal extends Readable {
  isTTY?: boolean;
  setRawMode?(raw: boolean): unknown;
}

/**
 * A password from PATHBOARD_PASSWORD, from the first line of what is piped in, or typed twice at a terminal, which
 * does not show it. Never an argument: those are seen by everybody on the machine.
 */
export async function readPassword(env: Record<string, string | undefined>, input: Terminal, output: Writable): Promise<string> {
  const given = env['PATHBOARD_PASSWORD'];
  if (given) return given;
  if (!input.isTTY) return firstLine(input);
  const keys = new Keys(input, output);
  try {
    const password = await keys.line('Password: ');
    if ((await keys.line('Once more: ')) === password) return password;
    throw new Refusal('bad-request', 'password', 'the same twice', 'two that differ');
  } finally {
    keys.end();
  }
}

async function firstLine(input: Readable): Promise<string> {
  let text = '';
  for await (const chunk of input.setEncoding('utf8') as AsyncIterable<string>) {
    text += chunk;
    if (text.includes('\n')) break;
  }
  return text.split(/\r?\n/, 1)[0] ?? '';
}

/** Reads a terminal key by key and shows none of them. */
class Keys {
  private readonly typed: AsyncIterator<string>;
  private pending = '';

  constructor(
    private readonly input: Terminal,
    private readonly output: Writable,
  ) {
    input.setEncoding('utf8');
    input.setRawMode?.(true);
    this.typed = input[Symbol.asyncIterator]() as AsyncIterator<string>;
  }

  async line(prompt: string): Promise<string> {
    this.output.write(prompt);
    let line = '';
    for (;;) {
      const key = await this.key();
      if (key === '\r' || key === '\n') break;
      if (key === '\u0003' || key === '\u0004') throw new Refusal('cancelled', 'password', 'one that is typed', 'an interrupt');
      line = key === '\u007F' || key === '\b' ? [...line].slice(0, -1).join('') : line + key;
    }
    this.output.write('\n');
    return line;
  }

  end(): void {
    this.input.setRawMode?.(false);
    void this.typed.return?.();
  }

  private async key(): Promise<string> {
    while (this.pending === '') {
      const { done, value } = await this.typed.next();
      if (done) return '\u0004';
      this.pending = value;
    }
    const [key = ''] = this.pending;
    this.pending = this.pending.slice(key.length);
    return key;
  }
}
