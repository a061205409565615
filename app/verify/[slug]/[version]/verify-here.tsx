'use client';
import { useRef, useState } from 'react';
import { formatError } from '@/lib/figures/numbers.ts';
import type { PartReport, Progress, Report } from '@/lib/verify.ts';
import type { Device } from '@/lib/worker/browser-engine.ts';
import { Button } from '@/app/ui/button.tsx';
import { Fault } from '@/app/ui/field.tsx';
import { KindBadge } from '@/app/ui/kind-badge.tsx';
import { ProgressLine } from '@/app/ui/progress-line.tsx';
import { ScrollRegion } from '@/app/ui/scroll-region.tsx';
import { lineOf } from '@/app/ui/request.ts';
import { strings } from '@/app/ui/strings.ts';
import { verifyInBrowser } from './verify-in-browser.ts';

const words = strings.verifyHere;

/** Loads what the page holds and the model, computes everything anew here, and says of each part whether it came out the same. */
export function VerifyHere({ page }: { page: string }) {
  const [progress, setProgress] = useState<Progress | null>(null);
  const [done, setDone] = useState<{ report: Report; device: Device } | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const abort = useRef<AbortController | null>(null);

  const verify = async () => {
    abort.current = new AbortController();
    setBusy(true);
    setError(null);
    setDone(null);
    await verifyInBrowser(page, { signal: abort.current.signal, onProgress: setProgress }).then(setDone, (cause: unknown) =>
      setError(lineOf(cause)),
    );
    setBusy(false);
    setProgress(null);
  };

  return (
    <section aria-labelledby="verify-title" className="grid gap-4">
      <div>
        <h1 id="verify-title" className="text-base font-semibold">
          {words.title}
        </h1>
        <p className="mt-1 max-w-prose text-sm text-soft">{words.meaning}</p>
        <p className="mt-1 text-sm">
          <a href={page} className="name underline underline-offset-2">
            {page}
          </a>
        </p>
      </div>
      <div className="flex flex-wrap items-center gap-3">
        <Button tone="main" onClick={() => void verify()} disabled={busy}>
          {done ? words.again : words.start}
        </Button>
        {busy ? <ProgressLine progress={progress} onCancel={() => abort.current?.abort()} /> : null}
      </div>
      {error ? <Fault>{error}</Fault> : null}
      {done ? <Outcome report={done.report} device={done.device} /> : null}
    </section>
  );
}

function Outcome({ report, device }: { report: Report; device: Device }) {
  const on = strings.device.providers[device.provider];
  return (
    <div className="grid gap-2">
      <p role="status" className="text-sm" data-outcome={report.mark}>
        <b className="font-semibold">{words.outcome[report.mark]}</b> {words.computedOn(on, device.detail, formatError(device.error))}
      </p>
      <ScrollRegion label={words.table}>
        <table className="w-full text-sm">
          <caption className="sr-only">{words.table}</caption>
          <thead>
            <tr className="border-b border-line text-2xs text-soft">
              {(['part', 'mark', 'numbers', 'difference', 'tolerance'] as const).map((column) => (
                <th
                  key={column}
                  scope="col"
                  className={`py-1 font-normal ${column === 'part' || column === 'mark' ? 'text-left' : 'pl-3 text-right'}`}
                >
                  {words.columns[column]}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {report.parts.map((part) => (
              <Part key={part.id} part={part} />
            ))}
          </tbody>
        </table>
      </ScrollRegion>
    </div>
  );
}

function Part({ part }: { part: PartReport }) {
  const number = (value: number | null) => (value === null ? '' : formatError(value));
  return (
    <tr className="border-b border-line" data-part={part.id} data-mark={part.mark}>
      <th scope="row" className="py-1 pr-3 text-left font-normal">
        <span className="flex flex-wrap items-center gap-2">
          {part.kind ? <KindBadge kind={part.kind} /> : null}
          <span className="name">{part.title}</span>
        </span>
        {part.why === null ? null : <span className="block text-xs text-soft">{part.why}</span>}
        {part.numbers.length > 0 ? <Numbers part={part} /> : null}
      </th>
      <td className={part.mark === 'not-reproduced' ? 'font-semibold text-fault' : ''}>{words.marks[part.mark]}</td>
      <td className="pl-3 text-right font-mono text-xs">{part.compared}</td>
      <td className="pl-3 text-right font-mono text-xs">{number(part.difference)}</td>
      <td className="pl-3 text-right font-mono text-xs text-soft">{number(part.tolerance)}</td>
    </tr>
  );
}

const SHOWN = 200;

/** Each number as the page states it beside the one that was computed here; those that differ come first. */
function Numbers({ part: { numbers } }: { part: PartReport }) {
  return (
    <details className="text-xs">
      <summary className="text-soft">{words.eachNumber(numbers.length)}</summary>
      <ul className="mt-1 grid gap-0.5 font-mono">
        {numbers.slice(0, SHOWN).map(({ key, claimed, fresh, mark }) => (
          <li key={key} data-mark={mark} className={mark === 'not-reproduced' ? 'font-semibold text-fault' : ''}>
            {words.number(key.split('|').slice(1).filter(Boolean).join(' '), claimed, fresh, words.marks[mark])}
          </li>
        ))}
      </ul>
      {numbers.length > SHOWN ? <p className="text-soft">{words.moreNumbers(numbers.length - SHOWN)}</p> : null}
    </details>
  );
}
