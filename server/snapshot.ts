import type { Claim, Comment, Evidence, Label, Setup, Thread } from '../lib/board/records.ts';
import type { Answer } from '../lib/engine/index.ts';
import type { Run } from '../lib/wire.ts';

/** Everything a published version shows, frozen at publishing. Nothing on the page comes from anywhere else. */
export interface Snapshot {
  slug: string;
  version: number;
  title: string;
  question: string;
  /** markdown subset: paragraphs, lists, **bold**, *emphasis*, `code` */
  findings: string;
  authors: string[];
  /** epoch ms */
  publishedAt: number;
  setup: Setup;
  /** `paths` at the board's setup: complete paths plus remainder = metric */
  partition: Answer;
  /** `degrees` at the board's setup */
  degrees: Answer;
  labels: Label[];
  /** empty when the publisher keeps threads private */
  threads: { thread: Thread; comments: Comment[] }[];
  claims: { claim: Claim; evidence: Evidence[] }[];
  /** the runs that the evidence refers to */
  runs: Run[];
}
