import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { readPassword } from './password.ts';

/** A terminal: what is typed, what it shows, and whether it would show keys by itself. */
class Terminal extends PassThrough {
  isTTY = true;
  modes: boolean[] = [];
  setRawMode(raw: boolean): void {
    this.modes.push(raw);
  }
}

async function type(...keys: string[]): Promise<{ password: string | Error; shown: string; modes: boolean[] }> {
  const terminal = new Terminal();
  const screen = new PassThrough();
  const reading = readPassword({}, terminal, screen).catch((error: unknown) => error as Error);
  for (const key of keys) terminal.write(key);
  const password = await reading;
  return { password, shown: String(screen.read()), modes: terminal.modes };
}

test('typed twice, it is taken and never shown', async () => {
  expect(await type('correct horsé\r', 'correct hors', 'x', '\u007F', 'é\r')).toEqual({
    password: 'correct horsé',
    shown: 'Password: \nOnce more: \n',
    modes: [true, false],
  });
});

test('typed otherwise the second time, or interrupted, it is refused, and the terminal is as before', async () => {
  const differs = await type('one of them\r', 'the other one\r');
  expect(String(differs.password)).toContain('password: expected the same twice, got two that differ');
  expect(differs.modes).toEqual([true, false]);
  const interrupted = await type('one of', '\u0003');
  expect(String(interrupted.password)).toContain('got an interrupt');
  expect(interrupted.modes).toEqual([true, false]);
});

test('piped in, it is the first line; in the environment, it is that', async () => {
  for (const [text, password] of [
    ['a long password\n', 'a long password'],
    ['a long password\r\nmore', 'a long password'],
    ['a long password', 'a long password'],
    ['', ''],
  ] as const) {
    const pipe = new PassThrough();
    pipe.end(text);
    expect(await readPassword({}, pipe, new PassThrough())).toBe(password);
  }
  expect(await readPassword({ PATHBOARD_PASSWORD: ' kept as it is ' }, new PassThrough(), new PassThrough())).toBe(' kept as it is ');
});
