import type { Metadata } from 'next';
import Link from 'next/link';
import { PageFrame } from './ui/page-frame.tsx';
import { strings } from './ui/strings.ts';

export const metadata: Metadata = { title: strings.errors.notFound };

export default function NotFound() {
  return (
    <PageFrame>
      <h1 className="mb-2 text-base font-semibold">{strings.errors.notFound}</h1>
      <p className="mb-4 text-sm text-soft">{strings.errors.notFoundHint}</p>
      <Link href="/" prefetch={false} className="text-sm underline underline-offset-2">
        {strings.errors.toStart}
      </Link>
    </PageFrame>
  );
}
