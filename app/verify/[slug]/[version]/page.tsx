import type { Metadata } from 'next';
import { PageFrame } from '@/app/ui/page-frame.tsx';
import { strings } from '@/app/ui/strings.ts';
import { VerifyHere } from './verify-here.tsx';

interface VerifyPageProps {
  params: Promise<{ slug: string; version: string }>;
}

export const metadata: Metadata = { title: strings.verifyHere.title };

/** A published version, computed anew in the reader's own browser. Needs no account. */
export default async function VerifyPage({ params }: VerifyPageProps) {
  const { slug, version } = await params;
  return (
    <PageFrame>
      <VerifyHere page={`/p/${encodeURIComponent(slug)}/${encodeURIComponent(version)}`} />
    </PageFrame>
  );
}
