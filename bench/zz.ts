import { readFileSync } from 'node:fs';
import { analyze } from '../lib/engine/index.ts';
import { loadModel, noControl } from '../server/engine/testing.ts';
import { drawPaths, drawTokens, gpt2SmallFolder, SEED } from './gpt2-small.ts';
const rss = (l: string) => {
  const s = readFileSync('/proc/self/status', 'utf8');
  const g = (k: string) => Math.round(Number(new RegExp(k + ':\\s+(\\d+)').exec(s)![1]) / 1024);
  const m = process.memoryUsage();
  console.log(
    l.padEnd(12),
    `hwm ${g('VmHWM')} anon ${g('RssAnon')} file ${g('RssFile')} arrayBuffers ${Math.round(m.arrayBuffers / 1e6)} heap ${Math.round(m.heapUsed / 1e6)}`,
  );
};
const model = await loadModel(await gpt2SmallFolder(), 2);
const tokens = drawTokens(50257, 64, SEED),
  cf = drawTokens(50257, 64, SEED + 1);
const go = (r: any) => analyze(model, { model: 'x', tokens, counterfactualTokens: cf, target: 1, foil: 2, ...r }, noControl);
rss('start');
await model.logits([tokens]);
rss('forward');
for (let i = 0; i < 8; i++) await model.clean([i, ...tokens.slice(1)]);
rss('clean x8');
for (let i = 0; i < 3; i++) await go({ view: 'degrees' });
rss('degrees');
for (let i = 0; i < 2; i++) {
  await go({ view: 'paths', top: 100 });
  rss('paths');
}
for (let i = 0; i < 2; i++) {
  await go({ view: 'path-effect', paths: drawPaths(model.spec, 1000, SEED) });
  rss('effects');
}
