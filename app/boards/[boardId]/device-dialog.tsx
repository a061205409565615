'use client';
import { formatError } from '@/lib/figures/numbers.ts';
import { computing, useComputing, type Where } from '@/app/ui/computing.ts';
import { Dialog } from '@/app/ui/dialog.tsx';
import { Fault } from '@/app/ui/field.tsx';
import { strings } from '@/app/ui/strings.ts';
import { KeptModels } from './kept-models.tsx';
import { useBoard } from './board-context.tsx';
import { forgetAnswers } from './use-answer.ts';
import { WorkerList } from './worker-list.tsx';

const words = strings.device;
const CHOICES: readonly { where: Where; title: string; text: string }[] = [
  { where: 'server', title: words.server, text: words.serverText },
  { where: 'browser', title: words.browser, text: words.browserText },
];

/** Lets a person choose where the board is computed for them, and says what this browser computes with. */
export function DeviceDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  const { boardId } = useBoard();
  const { where, device, fault, fellBack } = useComputing();

  const choose = (next: Where) => {
    forgetAnswers();
    computing.choose(boardId, next);
  };

  return (
    <Dialog title={words.title} open={open} onClose={onClose}>
      <fieldset className="grid gap-3">
        <legend className="sr-only">{words.title}</legend>
        {CHOICES.map((choice) => (
          <div key={choice.where} className="grid grid-cols-[auto_1fr] gap-x-2 text-sm">
            <input
              id={`computes-${choice.where}`}
              type="radio"
              name="where"
              checked={where === choice.where}
              onChange={() => choose(choice.where)}
              aria-describedby={`computes-${choice.where}-text`}
              className="mt-1"
            />
            <label htmlFor={`computes-${choice.where}`} className="font-semibold">
              {choice.title}
            </label>
            <p id={`computes-${choice.where}-text`} className="col-start-2 text-soft">
              {choice.text}
            </p>
          </div>
        ))}
      </fieldset>
      {where === 'server' ? <WorkerList /> : null}
      {where === 'browser' && device ? (
        <dl className="mt-4 grid grid-cols-[auto_1fr] gap-x-3 gap-y-0.5 text-xs">
          <Fact name={words.details.provider} value={words.providers[device.provider]} />
          <Fact name={words.details.detail} value={device.detail} />
          <Fact name={words.details.error} value={words.details.errorText(formatError(device.error))} />
          {device.why === null ? null : <Fact name={words.details.why} value={device.why} />}
        </dl>
      ) : null}
      {where === 'browser' && !device && !fault ? (
        <p role="status" className="mt-4 text-xs text-soft">
          {words.starting}
        </p>
      ) : null}
      {[fault, fellBack].map((text) =>
        where === 'browser' && text ? (
          <div key={text} className="mt-3">
            <Fault>{text}</Fault>
          </div>
        ) : null,
      )}
      <KeptModels key={device?.provider} />
      <p className="mt-4 text-xs text-soft">{words.others}</p>
    </Dialog>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <>
      <dt className="text-soft">{name}</dt>
      <dd>{value}</dd>
    </>
  );
}
