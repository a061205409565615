import type { Author } from '../lib/board/records.ts';
import { withoutOrigin } from '../lib/interchange/web-annotation.ts';
import { withAuthors, type Snapshot } from '../lib/snapshot.ts';

/** What a page says of people. Their ids are this installation's own business: pages number them. */

export function withoutIds(snapshot: Snapshot, everybody: readonly Author[]): Snapshot {
  const number = numbering(everybody);
  return withAuthors(snapshot, (author) => ({ id: `author-${number(author)}`, name: author.name }));
}

/**
 * For double-blind review: "Author 1" and so on in place of every name, the same person the same number everywhere. Names
 * that people call each other by, `@Ada`, go too; what else they say of themselves in their own words is theirs to judge.
 */
export function anonymised(snapshot: Snapshot, everybody: readonly Author[]): Snapshot {
  const number = numbering(everybody);
  const called = (author: Author) => `Author ${number(author)}`;
  const people = new Map<string, Author>();
  const renamed = withAuthors(snapshot, (author) => {
    people.set(author.name, author);
    return { id: `author-${number(author)}`, name: called(author) };
  });
  for (const author of everybody) people.set(author.name, author);
  const longestFirst = [...people.values()].sort((a, b) => b.name.length - a.name.length);
  const hush = (text: string) => longestFirst.reduce((said, author) => said.replaceAll(`@${author.name}`, `@${called(author)}`), text);
  return {
    ...renamed,
    authors: everybody.map(called),
    question: hush(renamed.question),
    title: hush(renamed.title),
    findings: hush(renamed.findings),
    labels: renamed.labels.map((label) => ({ ...label, text: hush(label.text) })),
    threads: renamed.threads.map(({ thread, comments }) => ({
      thread,
      comments: comments.map((comment) => ({ ...comment, body: hush(withoutOrigin(comment.body)) })),
    })),
    claims: renamed.claims.map(({ claim, evidence }) => ({
      claim: {
        ...claim,
        text: hush(claim.text),
        stances: Object.fromEntries(Object.entries(claim.stances).map(([id, stance]) => [id, { ...stance, reason: hush(stance.reason) }])),
      },
      evidence: evidence.map((item) => ({ ...item, ...(item.note !== undefined && { note: hush(item.note) }) })),
    })),
  };
}

/** By name: a guest who made an account is the same person on the page as before. */
function numbering(everybody: readonly Author[]): (author: Author) => number {
  const numbers = new Map<string, number>();
  const number = ({ name }: Author) => {
    const given = numbers.get(name) ?? numbers.size + 1;
    numbers.set(name, given);
    return given;
  };
  everybody.forEach(number);
  return number;
}
