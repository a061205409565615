import type { AnalyzeRequest } from '@/lib/engine/index.ts';
import type { Snapshot } from '@/lib/snapshot.ts';
import { shownNumbers } from '@/lib/verify-numbers.ts';
import { verifySnapshot, type Progress, type Report } from '@/lib/verify.ts';
import { BrowserEngine, type Device, type ModelPlace } from '@/lib/worker/browser-engine.ts';
import { strings } from '@/app/ui/strings.ts';

interface Options {
  signal: AbortSignal;
  onProgress: (progress: Progress) => void;
}

/**
 * Computes what a published version claims anew, here: its figures, runs and verdicts, and the numbers of its HTML. The
 * server gives the page and, where its publisher allows it, the model's files, and is asked for nothing else.
 */
export async function verifyInBrowser(page: string, { signal, onProgress }: Options): Promise<{ report: Report; device: Device }> {
  const [snapshot, html] = await Promise.all([
    load(`${page}/snapshot.json`, signal).then((answer) => answer.json() as Promise<Snapshot>),
    load(page, signal).then((answer) => answer.text()),
  ]);
  if (!snapshot.weights) throw new Error(strings.verifyHere.noWeights);
  const { name, hash } = snapshot.partition.model;
  const model: ModelPlace = { name, hash, base: `${page}/model/${hash}` };
  const engine = new BrowserEngine({ selfTest: '/self-test', provider: null, onLost: () => {} });
  try {
    const device = await engine.device();
    const here = {
      models: async () => [model],
      analyze: (request: AnalyzeRequest) => engine.call('analyze', { model, request }, { signal, onProgress }),
    };
    return { report: await verifySnapshot(snapshot, here, { shown: shownNumbers(html), onProgress }), device };
  } finally {
    engine.close();
  }
}

async function load(url: string, signal: AbortSignal): Promise<Response> {
  const answer = await fetch(url, { signal });
  if (!answer.ok) throw new Error(strings.verifyHere.noPage(answer.status));
  return answer;
}
