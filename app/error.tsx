'use client';
import { Button } from './ui/button.tsx';
import { strings } from './ui/strings.ts';

export default function ErrorPage({ error, reset }: { error: Error & { digest?: string }; reset: () => void }) {
  return (
    <main className="mx-auto max-w-xl px-4 py-10">
      <h1 className="mb-2 text-base font-semibold">{strings.errors.page}</h1>
      <p role="alert" className="mb-4 text-sm text-soft">
        {error.message}
      </p>
      <Button onClick={reset}>{strings.common.tryAgain}</Button>
    </main>
  );
}
