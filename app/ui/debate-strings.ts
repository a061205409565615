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
  add: 'Add member',
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
  memberOf: (name: string) => `A member of the mechanism ${name}`,

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

export const threadStrings = {
  empty: 'Nothing yet. Select a path and press C to say something about it.',
  filter: 'show',
  filters: {
    open: 'open',
    all: 'all',
    unread: 'with new comments',
    mine: 'that I wrote in',
    mentioned: 'that mention me',
    resolved: 'resolved',
  },
  count: (shown: number, all: number) => `${shown} of ${few(all, 'thread', 'threads')}`,
  unread: (count: number) => `${count} new`,
  readAll: (count: number) => `Mark ${few(count, 'new comment', 'new comments')} as read`,
  resolved: 'resolved',
} as const;

const list = (paths: readonly string[]) => (paths.length > 3 ? `${paths.length} paths` : paths.join(' and '));
const percent = (share: number) => `${Number((100 * share).toPrecision(4))}%`;

/** Claims that make their own runs. */
export const templateStrings = {
  choose: 'or from a template that makes its own runs:',
  none: 'choose one…',
  titles: {
    exact: 'The residual expansion is exact here',
    degrees: 'Short paths carry the metric',
    explain: 'These paths explain the metric',
    matters: 'This path matters causally',
    redundant: 'These two paths are redundant',
    linear: 'This model is almost linear here',
    long: 'Long paths hardly matter here',
  },
  meanings: {
    exact:
      'Two readings of one sentence. Naive: real blocks on each other’s outputs add up to the stream [M15], as they would if every block were additive [M19]. Frozen: with attention, scales and gates held at this run the paths add up by construction [M11]; its error is shown beside, and not counted.',
    degrees: 'The exact sum of all paths up to a degree, as a share of the metric [M13].',
    explain:
      'Two tests. The paths’ exact sum as a share of the metric [M12]; and causal scrubbing [M17]: everything outside them carries the counterfactual, and that share of the loss is recovered.',
    matters: 'The effect of replacing the path’s first output on this path alone [M16], beside the same for random paths of its degree.',
    redundant:
      'Changing both at once does more than changing each alone: their interaction, as a share of the joint effect [M16]. Self-repair after ablating the first path’s first node is shown beside [M24].',
    linear: 'The additivity defect [M19] of every block but the first is below a bound.',
    long: 'The loss from paths up to a degree alone [M25] is about that from all paths.',
  },
  settings: {
    degree: 'Degree',
    share: 'Share',
    bound: 'Bound',
    paths: 'Paths, one a line',
    count: 'Random paths',
    seed: 'Seed',
  },
  units: {
    exact: { bound: 'relative error and defect', degree: 'of the naive expansion' },
    degrees: { share: 'of the metric, 0 to 1' },
    explain: { share: 'of the metric, and of the loss', paths: 'Complete paths or suffixes.' },
    matters: {
      bound: '|effect|, in logits',
      share: 'of the random paths with a smaller effect',
      paths: 'One path or suffix that starts at the input, a head or an MLP.',
    },
    redundant: { bound: '|joint effect|, in logits', share: 'of the joint effect', paths: 'Two.' },
    linear: { bound: 'additivity defect' },
    long: { bound: 'nats' },
  } as Partial<Record<string, Partial<Record<string, string>>>>,
  sentences: {
    exact: ({ degree, bound }: Settings) =>
      `The naive residual expansion up to degree ${degree} is exact here, up to an error of ${bound}.`,
    degrees: ({ degree, share }: Settings) => `Paths of degree ${degree} or less carry ${percent(share)} of the metric here.`,
    explain: ({ paths, share }: Settings) => `${list(paths)} explain ${percent(share)} of the metric here.`,
    matters: ({ paths, share }: Settings) => `${list(paths)} matters causally: more than ${percent(share)} of random paths of its degree.`,
    redundant: ({ paths }: Settings) => `${list(paths)} are redundant: each makes up for the other.`,
    linear: ({ bound }: Settings) => `The model is almost linear here: no block’s additivity defect reaches ${bound}.`,
    long: ({ degree, bound }: Settings) =>
      `Paths longer than ${degree} hardly matter here: they change the loss by less than ${bound} nats.`,
  },
  steps: {
    naive: 'naive expansion and additivity',
    identity: 'the frozen expansion’s identity',
    degrees: 'degrees',
    share: 'share of the metric',
    scrub: 'causal scrubbing',
    effect: 'effect beside random paths',
    joint: 'both at once',
    repair: 'self-repair',
    defect: 'additivity of every block',
    orders: 'loss by order',
  },
  notes: {
    baseline: (count: number, degree: number, seed: number) =>
      `Baseline: ${few(count, 'random path', 'random paths')} of degree ${degree}, drawn with seed ${seed}.`,
    scrub: 'Everything outside the paths carries the counterfactual prompt.',
    identity: 'The frozen reading: paths of this run add up by construction; this is its numerical error.',
    naive: 'The naive reading: real blocks on composed inputs.',
  },
  noCounterfactual: 'This board has no counterfactual prompt, so nothing is scrubbed: the claim rests on the share alone.',
  preview: 'Try it',
  previewed: 'What came out',
  make: 'Make the claim',
  faults: {
    number: 'A number from 0.',
    whole: 'A whole number from 0.',
    count: 'From 10 to 1000.',
    path: (name: string) => `${name.slice(0, 60)} is no path or suffix to the logits.`,
    paths: (least: number, most: number, got: number) =>
      least === most ? `${few(least, 'path', 'paths')}, got ${got}.` : `${least} to ${most} paths, got ${got}.`,
  },
} as const;

interface Settings {
  degree: number;
  share: number;
  bound: number;
  paths: readonly string[];
}

/** How things are called that are no objects of the model. */
export const anchorStrings = {
  token: (text: string, position: number) => (text === '' ? `token ${position}` : `token ${position}: “${text}”`),
  group: 'a mechanism that was deleted',
  claim: 'a claim that is no longer there',
  run: (view: string) => (view === '' ? 'a run' : `run: ${view}`),
  chooseToken: 'Discuss a token of the prompt',
  noToken: 'a token…',
  gone: 'This is no longer there.',
  runTitle: 'Run',
  runGone: 'This run is not among the board’s latest.',
};
