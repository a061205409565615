import { flowOfEdges, flowOfNodes, parentsOf, readMembers, sumOfPaths, type Total } from './board/mechanism.ts';
import type { AnalyzeRequest, Answer } from './engine/index.ts';

/** The sum of all frozen paths that a mechanism stands for, or why there is no one number. */
export type MechanismSum = { value: number; why: null } | { value: null; why: string };

/** Asks the engine for as much as the members need. */
export async function sumOfMechanism(
  members: readonly string[],
  question: Omit<AnalyzeRequest, 'view'>,
  ask: (request: AnalyzeRequest) => Promise<Answer>,
): Promise<MechanismSum> {
  const { paths, edges, nodes, slotted } = readMembers(members);
  const sorts = [paths, edges, nodes].filter((sort) => sort.length > 0);
  if (sorts.length === 0)
    return none(slotted.length > 0 ? 'paths through one slot of a head are no part of the frozen expansion' : 'it has no members');
  if (sorts.length > 1) return none('members of several sorts may share paths, so they do not add up to one number');
  if (paths.length > 0) {
    const answer = await ask({ ...question, view: 'suffixes', paths: parentsOf(paths) });
    const value = sumOfPaths(paths, answer);
    return value === null ? none('the model lacks one of its paths') : { value, why: null };
  }
  const answer = await ask({ ...question, view: 'flow' });
  const total: Total | null = edges.length > 0 ? flowOfEdges(edges, answer) : flowOfNodes(nodes, answer);
  if (total === null) return none('the model lacks one of its members');
  return total.exact
    ? { value: total.value, why: null }
    : none(`paths go through both ${total.shared.join(' and ')}, so the two do not add up`);
}

function none(why: string): MechanismSum {
  return { value: null, why };
}
