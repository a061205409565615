'use client';
import type { WorkerSummary } from '@/lib/wire.ts';
import { Button } from '@/app/ui/button.tsx';
import { Fault } from '@/app/ui/field.tsx';
import { strings } from '@/app/ui/strings.ts';
import { useLoaded } from '@/app/ui/use-loaded.ts';

const words = strings.workers;

/** The processes that compute what the server is asked: itself, and workers on its database. */
export function WorkerList() {
  const { value: workers, error, reload } = useLoaded<WorkerSummary[]>('/api/workers');
  return (
    <section aria-labelledby="workers" className="mt-4 text-xs">
      <h3 id="workers" className="font-semibold">
        {words.title}
      </h3>
      {workers === null && error === null ? (
        <p role="status" className="text-soft">
          {words.loading}
        </p>
      ) : null}
      {error === null ? null : (
        <>
          <Fault>{error}</Fault>
          <Button small onClick={reload}>
            {strings.common.tryAgain}
          </Button>
        </>
      )}
      {workers?.length === 0 ? <p className="text-soft">{words.none}</p> : null}
      {workers && workers.length > 0 ? (
        <table data-testid="workers" className="mt-1 w-full">
          <thead className="text-left text-soft">
            <tr>
              <th className="pr-3 font-normal">{words.columns.name}</th>
              <th className="pr-3 font-normal">{words.columns.device}</th>
              <th className="font-normal">{words.columns.state}</th>
            </tr>
          </thead>
          <tbody>
            {workers.map(({ id, name, kind, devices, running, takes, engineVersion }) => (
              <tr key={id} className="align-top">
                <td className="pr-3">
                  <span className="wrap-anywhere">{name}</span> <span className="whitespace-nowrap text-soft">({words.kinds[kind]})</span>
                </td>
                <td className="pr-3">
                  {devices.map((device) => words.device(device.provider, device.dtype, device.threads)).join('; ')}
                  {devices.map(({ notCuda }) =>
                    notCuda === undefined ? null : (
                      <span key={notCuda} className="block text-fault">
                        {words.notCuda(notCuda)}
                      </span>
                    ),
                  )}
                </td>
                <td className="tabular-nums">
                  {takes ? (running === 0 ? words.idle : words.running(running)) : words.other(engineVersion)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      ) : null}
    </section>
  );
}
