import { strings } from '@/app/ui/strings.ts';

/** How whoever started the server gets in without a password. */
export function OwnerHint() {
  return (
    <section>
      <h2 className="mb-1 text-sm font-semibold">{strings.start.signedOutTitle}</h2>
      <p className="max-w-xl text-sm text-soft">{strings.start.signedOut}</p>
      <pre className="my-2 max-w-xl overflow-x-auto rounded-[3px] border border-line bg-paper px-3 py-2 font-mono text-sm">
        {strings.start.signedOutCommand}
      </pre>
      <p className="max-w-xl text-sm text-soft">{strings.start.signedOutGuest}</p>
    </section>
  );
}
