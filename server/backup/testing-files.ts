import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { gunzipSync, gzipSync } from 'node:zlib';

/** For tests: backups as text, and text as backups. */

export async function linesOf(path: string): Promise<string[]> {
  return gunzipSync(await readFile(path))
    .toString('utf8')
    .trimEnd()
    .split('\n');
}

export async function writeLines(path: string, lines: readonly string[]): Promise<string> {
  await writeFile(path, gzipSync(`${lines.join('\n')}\n`));
  return path;
}

/** As somebody would who knows the format: its last line adds up again. */
export function forge(path: string, lines: readonly string[]): Promise<string> {
  const sum = createHash('sha256')
    .update(`${lines.join('\n')}\n`)
    .digest('hex');
  return writeLines(path, [...lines, JSON.stringify({ sha256: sum })]);
}
