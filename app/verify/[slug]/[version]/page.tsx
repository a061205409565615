import type { Metadata } from 'next';
import { PageFrame } from '@/app/ui/page-frame.tsx';
import { strings } from '@/app/ui/strings.ts';
import { FramedVerification } from './framed-verification.tsx';
import { VerifyHere } from './verify-here.tsx';

interface VerifyPageProps {
  params: Promise<{ slug: string; version: string }>;
  searchParams: Promise<Record<string, unknown>>;
}

export const metadata: Metadata = { title: strings.verifyHere.title };

/** A published version, computed anew in the reader's own browser. Needs no account. */
export default async function VerifyPage({ params, searchParams }: VerifyPageProps) {
  const { slug, version } = await params;
  const page = `/p/${encodeURIComponent(slug)}/${encodeURIComponent(version)}`;
  if ('framed' in (await searchParams)) return <FramedVerification page={page} />;
  return (
    <PageFrame>
      <VerifyHere page={page} />
    </PageFrame>
  );
}
