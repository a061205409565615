import { gzipSync } from 'node:zlib';
import type { Page, Response } from '@playwright/test';

export interface Sent {
  files: number;
  /** bytes, each file gzipped by itself at zlib's default level */
  gzip: number;
  bytes: number;
}

/** Counts the scripts that a page is sent from now on. */
export function countScripts(page: Page): () => Promise<Sent> {
  const bodies: Promise<Buffer>[] = [];
  const onResponse = (response: Response) => {
    if (response.request().resourceType() !== 'script' || response.status() !== 200) return;
    const body = response.body();
    // One that fails says so when it is counted.
    body.catch(() => {});
    bodies.push(body);
  };
  page.on('response', onResponse);
  return async () => {
    page.off('response', onResponse);
    const settled = await Promise.all(bodies);
    return {
      files: settled.length,
      gzip: settled.reduce((sum, body) => sum + gzipSync(body).length, 0),
      bytes: settled.reduce((sum, body) => sum + body.length, 0),
    };
  };
}
