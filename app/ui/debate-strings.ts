import { few } from './few.ts';

/** What is said about mechanisms. */
export const mechanismStrings = {
  title: 'Mechanisms',
  one: 'Mechanism',
  none: 'None yet. Select a path, press G and give the mechanism a name; then add more paths, edges or nodes to it.',
  newName: (number: number) => `Mechanism ${number}`,
  name: 'Name of the mechanism',
  members: 'Members',
  memberCount: (count: number) => few(count, 'member', 'members'),
  noMembers: 'None. Add paths, suffixes, edges or nodes.',
  addMember: 'Add a member',
  memberHint: 'A path, suffix, edge or node, such as a0.h1->a1.h0->logits',
  notInGrammar: 'Not a path, suffix, edge or node.',
  add: 'Add',
  remove: (member: string) => `Remove ${member} from the mechanism`,
  covered: 'inside another member, counts once',
  slottedMember: 'through one slot: no part of the sum',
  delete: 'Delete mechanism',
  deleteQuestion: 'Delete it for everyone?',
  gone: 'This mechanism is no longer there. An undo may bring it back.',
  toNone: 'All mechanisms',

  choose: 'Add to a mechanism',
  chooseNew: 'a new mechanism',
  newOf: 'Name of the new mechanism',
  create: 'Create',
  takeOut: (name: string) => `Take out of ${name}`,
  inNone: 'In none.',

  value: 'Value',
  parts: {
    paths: 'paths and suffixes',
    edges: 'edges',
    nodes: 'nodes',
    placed: 'nodes at token positions',
  },
  meaning: {
    paths: 'The exact sum of all paths that they stand for, each counted once.',
    edges: 'The exact sum of all paths that use one of these edges: no path uses two of them, so their flows add up.',
    nodes: 'The exact sum of all paths through one of these nodes: no path goes through two of them, so their flows add up.',
    placed: 'The exact sum of all paths through one of these nodes at its token: no path goes through two of them.',
  },
  noSum: (a: string, b: string) =>
    `No sum: some paths go through both ${a} and ${b}, so the flows would count them twice. Test them together instead; that number is causal.`,
  unknown: 'A member is none of this model, or not a part of the expansion at this prompt.',
  sum: 'adds to the metric',
  share: 'share of the metric',
  apart: 'Members of different sorts are added up apart: they may have paths in common.',

  test: 'Test together',
  testRun: { paths: 'Path effect of all', edges: 'Patch all edges', nodes: 'Ablate all nodes' },
  testMeaning: (reference: string) =>
    `What happens to the metric when all of them carry the ${reference === 'zero' ? 'value zero' : 'counterfactual'} at once. Not a sum.`,
  untestable: 'Biases are the same in every run, so they cannot be tested.',
  placedUntestable: 'A causal test changes a node at all tokens. Add the nodes without their positions to test them together.',
  effect: 'effect on the metric',
  label: 'Mechanisms with this',
};

export const notificationStrings = {
  title: 'Notifications',
  button: (unread: number) => (unread === 0 ? 'Notifications' : `Notifications: ${unread} new`),
  none: 'Nothing yet. You are told when somebody mentions you, replies to you, or takes a stance on your claim.',
  readAll: 'Mark all as read',
  fresh: 'new',
  what: {
    mention: (name: string) => `${name} mentioned you`,
    reply: (name: string) => `${name} replied in a thread of yours`,
    stance: (name: string) => `${name} took a stance on your claim`,
    verdict: (name: string) => `${name} added evidence: the verdict of a claim changed`,
    rerun: (name: string) => `${name} ran evidence again: it came out differently`,
    role: (name: string) => `${name} changed your role on this board`,
  },
} as const;

/** How things are called that are no objects of the model. */
export const anchorStrings = {
  token: (text: string, position: number) => (text === '' ? `token ${position}` : `token ${position}: “${text}”`),
  group: 'a mechanism that was deleted',
  claim: 'a claim that is no longer there',
  run: (view: string) => (view === '' ? 'a run' : `run: ${view}`),
  gone: 'This is no longer there.',
  runTitle: 'Run',
  runGone: 'This run is not among the board’s latest.',
};
