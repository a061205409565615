'use client';
import { useEffect } from 'react';
import { reportOf } from '@/lib/figures/report.ts';
import { formatError } from '@/lib/figures/numbers.ts';
import { lineOf } from '@/app/ui/request.ts';
import { strings } from '@/app/ui/strings.ts';
import { verifyInBrowser } from './verify-in-browser.ts';

/** Computes for the published page around it, and tells it what comes out. Shows nothing itself. */
export function FramedVerification({ page }: { page: string }) {
  useEffect(() => {
    const abort = new AbortController();
    void tell(page, abort.signal);
    return () => abort.abort();
  }, [page]);
  return null;
}

async function tell(page: string, signal: AbortSignal): Promise<void> {
  const say = (message: object) => window.parent.postMessage(message, location.origin);
  try {
    const { report, device } = await verifyInBrowser(page, { signal, onProgress: (progress) => say({ type: 'progress', ...progress }) });
    const where = strings.verifyHere.inBrowser(device.detail, formatError(device.error));
    say({ type: 'report', report, html: reportOf({ report, createdAt: Date.now(), where }).toString() });
  } catch (error) {
    if (!signal.aborted) say({ type: 'error', error: { message: lineOf(error) } });
  }
}
