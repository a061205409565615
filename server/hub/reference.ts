import { Refusal } from '../refusal.ts';

/** A model of a hub, as `OWNER/NAME` or `OWNER/NAME@REVISION` names it. */
export interface HubReference {
  /** OWNER/NAME */
  repository: string;
  /** a branch, a tag or a commit; null where none was named */
  revision: string | null;
}

const REPOSITORY = /^[A-Za-z0-9][A-Za-z0-9._-]{0,95}\/[A-Za-z0-9][A-Za-z0-9._-]{0,95}$/;
const REVISION = /^[A-Za-z0-9][A-Za-z0-9._/-]{0,199}$/;

/** Whether it looks like one, so that it is no directory. */
export function isReference(text: string): boolean {
  return REPOSITORY.test(text.split('@', 1)[0] ?? '');
}

/** @throws Refusal saying which part is no repository or no revision */
export function parseReference(text: string): HubReference {
  const at = text.indexOf('@');
  const repository = at < 0 ? text : text.slice(0, at);
  checkRepository(repository);
  if (at < 0) return { repository, revision: null };
  const revision = text.slice(at + 1);
  checkRevision(revision, 'revision');
  return { repository, revision };
}

export function checkRepository(repository: string): void {
  if (REPOSITORY.test(repository)) return;
  throw new Refusal('bad-request', 'import', 'OWNER/NAME', JSON.stringify(repository.slice(0, 200)));
}

export function checkRevision(revision: string, where: string): void {
  if (REVISION.test(revision) && !revision.includes('..')) return;
  throw new Refusal('bad-request', where, 'a branch, a tag or a commit', JSON.stringify(revision.slice(0, 200)));
}
