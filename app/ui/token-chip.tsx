import { visibleToken } from '@/lib/figures/numbers.ts';

/** A token as text with its white space visible. */
export function TokenChip({ text, className = '' }: { text: string; className?: string }) {
  return (
    <code className={`rounded-[2px] bg-sunken px-1 font-mono text-[0.92em] ${className}`} title={JSON.stringify(text)}>
      {visibleToken(text)}
    </code>
  );
}
