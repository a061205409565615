import type { Author, Claim, Comment, Evidence, Group, Label, Setup, Thread } from './board/records.ts';
import type { AnalyzeRequest, Answer } from './engine/index.ts';
import type { Run } from './wire.ts';

/** Everything a published version shows, frozen at publishing. Nothing on the page comes from anywhere else. */
export interface Snapshot {
  slug: string;
  version: number;
  title: string;
  question: string;
  /** markdown subset: paragraphs, lists, **bold**, *emphasis*, `code`, $maths$ */
  findings: string;
  authors: string[];
  /** epoch ms */
  publishedAt: number;
  setup: Setup;
  /** `paths` at the board's setup: complete paths plus remainder = metric */
  partition: Answer;
  /** `degrees` at the board's setup */
  degrees: Answer;
  /** `flow` and `heads` at the board's setup; versions published before there were these figures have none */
  flow?: Answer;
  heads?: Answer;
  labels: Label[];
  /** each with the sum of the paths that it stands for, or why there is none */
  mechanisms?: { group: Group; value: number | null; why: string | null }[];
  /** empty when the publisher keeps threads private */
  threads: { thread: Thread; comments: Comment[] }[];
  claims: { claim: Claim; evidence: Evidence[] }[];
  /** the runs that the evidence refers to */
  runs: Run[];
  /** for double-blind review: nobody's name is anywhere in here */
  anonymous?: boolean;
  /** whether readers may have the model's weights */
  weights?: boolean;
  /** 2: the page shows every number that it has to, each with how it is written; versions published before say neither */
  numbers?: 2;
}

export const PATHS = 40;
export const EDGES = 60;

/** What of an analysis a page shows. */
export interface Figure {
  id: 'paths' | 'degrees' | 'flow' | 'heads';
  title: string;
  request: AnalyzeRequest;
  answer: Answer;
}

/** The page's own figures, with what the engine was asked for each. */
export function figuresOf(snapshot: Pick<Snapshot, 'setup' | 'partition' | 'degrees' | 'flow' | 'heads'>): Figure[] {
  const { setup, partition, degrees, flow, heads } = snapshot;
  const question = questionOf(setup);
  const figures: Figure[] = [
    { id: 'paths', title: 'The metric, path by path', request: { ...question, view: 'paths', top: PATHS }, answer: partition },
    { id: 'degrees', title: 'By degree', request: { ...question, view: 'degrees' }, answer: degrees },
  ];
  if (flow) figures.push({ id: 'flow', title: 'Flow', request: { ...question, view: 'flow', top: EDGES }, answer: flow });
  if (heads) {
    const nodes = heads.terms.filter(({ pattern }) => pattern !== undefined).map(({ name }) => name);
    figures.push({
      id: 'heads',
      title: 'Heads',
      request: { ...question, view: 'heads', ...(nodes.length > 0 && { nodes }) },
      answer: heads,
    });
  }
  return figures;
}

/** The question that a board asks, as the engine takes it; the view is still to be named. */
export function questionOf(setup: Setup): Omit<AnalyzeRequest, 'view'> {
  return {
    model: setup.model,
    prompt: setup.prompt,
    ...(setup.counterfactual !== null && { counterfactual: setup.counterfactual }),
    ...(setup.position !== null && { position: setup.position }),
    ...(setup.target !== null && { target: setup.target }),
    ...(setup.foil !== null && { foil: setup.foil }),
  };
}

/**
 * The same with other people in it: every author, in whatever place, is what `rename` makes of them. Authors that are
 * the same person stay the same.
 */
export function withAuthors(snapshot: Snapshot, rename: (author: Author) => Author): Snapshot {
  return {
    ...snapshot,
    threads: snapshot.threads.map(({ thread, comments }) => ({
      thread: {
        ...thread,
        author: rename(thread.author),
        resolved: thread.resolved && { ...thread.resolved, by: rename(thread.resolved.by) },
      },
      comments: comments.map((comment) => ({ ...comment, author: rename(comment.author) })),
    })),
    claims: snapshot.claims.map(({ claim, evidence }) => ({
      claim: {
        ...claim,
        author: rename(claim.author),
        stances: Object.fromEntries(
          Object.values(claim.stances).map((stance) => {
            const author = rename(stance.author);
            return [author.id, { ...stance, author }];
          }),
        ),
      },
      evidence: evidence.map((item) => ({
        ...item,
        author: rename(item.author),
        reruns: item.reruns.map((rerun) => ({ ...rerun, by: rename(rerun.by) })),
      })),
    })),
    runs: snapshot.runs.map((run) => ({ ...run, author: rename(run.author) })),
  };
}
