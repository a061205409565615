import type { AnalyzeRequest } from '@/lib/engine/index.ts';
import { analyzeRequest } from '@/lib/wire.ts';

/** What an address asks; null where it asks nothing that can be read. Apart from the address, since validating is heavy to load. */
export function readRequest(asked: object | null): AnalyzeRequest | null {
  const read = asked === null ? null : analyzeRequest.safeParse(asked);
  return read?.success ? read.data : null;
}
