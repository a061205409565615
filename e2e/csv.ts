import { readFile } from 'node:fs/promises';
import type { Locator, Page } from '@playwright/test';

/** A file that a button hands over, as its name and its text. */
export async function saved(page: Page, button: Locator): Promise<{ file: string; text: string }> {
  const [download] = await Promise.all([page.waitForEvent('download'), button.click()]);
  return { file: download.suggestedFilename(), text: await readFile(await download.path(), 'utf8') };
}

/** The cells of a file without quoted line ends. */
export function cellsOf(text: string): { head: string[]; rows: string[][] } {
  const [head = [], ...rows] = text.trimEnd().split('\r\n').map(lineOf);
  return { head, rows };
}

function lineOf(line: string): string[] {
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(
    ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '',
  );
}
