import { accessStrings } from './access-strings.ts';
import { analysisStrings } from './analysis-strings.ts';
import { anchorStrings, mechanismStrings, notificationStrings, templateStrings, threadStrings } from './debate-strings.ts';
import { commandStrings } from './command-strings.ts';
import { deviceStrings, verifyHereStrings } from './device-strings.ts';
import { exportStrings } from './export-strings.ts';
import { featureStrings } from './feature-strings.ts';
import { graphStrings } from './graph-strings.ts';
import { few } from './few.ts';
import { modelStrings } from './model-strings.ts';
import { publishStrings } from './publish-strings.ts';
import { sessionStrings } from './session-strings.ts';
import { viewStrings } from './view-strings.ts';
import { workerStrings } from './worker-strings.ts';

const waiting = (count: number) => (count === 0 ? 'trying again' : `${few(count, 'change', 'changes')} kept`);

/** Every sentence of the interface. Names of the field (path, suffix, degree, …) are as in the engine's grammar. */
export const strings = {
  ...accessStrings,
  ...viewStrings,
  ...publishStrings,
  ...featureStrings,

  product: 'Pathboard',
  tagline: 'Split a transformer’s answer exactly into the paths that made it, and argue about them together.',

  common: {
    cancel: 'Cancel',
    close: 'Close',
    dismiss: 'Dismiss',
    copy: 'Copy',
    copyStates: { ready: 'copy', copied: 'copied', refused: 'not allowed' },
    save: 'Save',
    tryAgain: 'Try again',
    working: 'working…',
    timeLeft: (seconds: number) => `about ${seconds < 90 ? `${seconds} s` : `${Math.round(seconds / 60)} min`} left`,
  },

  theme: { label: 'Colours', system: 'auto', light: 'light', dark: 'dark' },

  verdicts: { holds: 'holds', fails: 'fails', 'not tested': 'not tested' },

  kindNames: { identity: 'identity', approximation: 'approximation', causal: 'causal', weights: 'weights' },

  kinds: {
    identity: 'An exact sum for this run; its error is shown.',
    approximation: 'Not exact; its error is shown.',
    causal: 'What happened to the metric when something was changed.',
    weights: 'Read off the weights alone, without a prompt.',
  },

  errors: {
    unreachable: 'The server cannot be reached. Nothing was lost; try again.',
    cutShort: 'The answer ended before it was complete. Try again.',
    status: (status: number) => `The server answered with status ${status} and no explanation.`,
    page: 'This page could not be shown.',
    notFound: 'There is nothing at this address.',
    notFoundHint: 'The board may belong to somebody else, or the link may be incomplete.',
    toStart: 'To the start page',
  },

  start: {
    prompt: 'Prompt',
    model: 'Model',
    unravel: 'Unravel',
    creating: 'Creating the board…',
    compares: 'Unravel splits the logit difference after the last token:',
    noModel: 'No model is installed. Import one first.',
    boards: 'Recent boards',
    noBoards: 'None yet. A board keeps a prompt, its paths, and what people make of them.',
    olderBoards: (count: number) => few(count, 'older board', 'older boards'),
    models: 'Models',
    allModels: 'All models, and how to import one',
    workspace: 'Workspace',
    invite: 'Working together',
    inviteText:
      'Open a board and choose Share: it makes links by which others join under a name, without an account, as viewers, commenters or editors. Labels, comments and claims appear for everyone at once.',
    noMaker: 'You can make no boards yet.',
    noMakerText:
      'That takes an editor or owner of a workspace. Ask an owner of one to make you an editor, or make a workspace of your own.',
    noMakerGuest:
      'That takes an editor or owner of a workspace. Ask an owner of one to make you an editor; or make an account, and then a workspace of your own.',
    signedOutTitle: 'Did you start this server?',
    signedOut:
      'The terminal in which it was started printed a link that signs its owner in, once. For a new one, run this in the installation’s folder:',
    signedOutCommand: 'npm run -s pathboard -- link',
    signedOutGuest: 'Were you invited? Open the invitation link that you were sent.',
  },

  models: modelStrings,

  join: {
    title: (board: string) => `Join “${board}”`,
    untitled: 'Join the board',
    role: (role: string, meaning: string) => `As ${role === 'editor' ? 'an' : 'a'} ${role}: ${meaning}.`,
    signIn: 'I have an account',
    name: 'Your name',
    hint: 'The others see it beside what you write. It must differ from theirs.',
    submit: 'Join',
    invalid: 'This invitation cannot be used',
  },

  board: {
    title: 'Title of the board',
    untitled: 'Untitled board',
    home: 'To the start page',
    opening: 'Opening the board…',
    broken: 'This board has lost its setup: an edit of it could not be read. Undo it where it was made, or start another board.',
    identityError: 'identity error',
  },

  connection: {
    connecting: 'connecting…',
    connected: 'saved',
    offline: 'offline: keep editing',
    closed: 'not connected',
    unsaved: (count: number, connected: boolean) =>
      connected ? `saving ${count}…` : `offline: ${few(count, 'change', 'changes')} not saved yet`,
    trouble: {
      restarting: (count: number) => `the server restarts: ${waiting(count)}`,
      overloaded: (count: number) => `the server cannot store anything now: ${waiting(count)}`,
    },
  },

  closed: {
    badRequest: 'The server did not understand this page. Reload it.',
    unauthorised: 'You are no longer signed in. Your edits wait in this browser.',
    forbidden: 'You may not open this board any more.',
    notFound: 'This board does not exist any more, or you are no longer a member of it.',
    otherEpoch: 'The board was repaired on the server and is loaded anew.',
    tooLarge: 'Your last edits were too large for the board. They were not stored; the board is loaded anew without them.',
    invalidUpdate: 'The server refused your last edits. The board is loaded anew without them.',
    tooFast: 'Too many edits in a short time. The board waits for ten seconds, then sends the rest.',
    other: (code: number) => `The server closed the connection (code ${code}). Reload to go on.`,
  },

  present: {
    here: 'People here',
    you: (name: string) => `${name} (you)`,
    looksHere: (name: string) => `${name} looks at this path`,
  },

  views: {
    label: 'Views',
    unravel: 'Unravel',
    graph: 'Graph',
    degrees: 'Degrees',
    heads: 'Heads',
    weights: 'Weights',
    interactions: 'Interactions',
    claims: 'Claims',
    analyses: 'Analyses',
  },

  analyses: analysisStrings,

  sessions: sessionStrings,

  exports: exportStrings,

  mechanisms: mechanismStrings,
  anchors: anchorStrings,
  notifications: notificationStrings,
  commands: commandStrings,
  device: deviceStrings,
  workers: workerStrings,
  verifyHere: verifyHereStrings,

  graph: graphStrings,

  setup: {
    label: 'What this board asks',
    position: 'Position whose logits are read',
    tokenAt: (text: string, index: number) => `${JSON.stringify(text)}, position ${index}`,
    tokenTitle: (text: string, index: number, id: number) =>
      `${JSON.stringify(text)} · position ${index} · id ${id} · shift-click: what comes from it`,
    editPrompt: 'Edit prompt',
    prompt: 'Prompt',
    counterfactual: 'counterfactual',
    counterfactualLong: 'Counterfactual prompt',
    counterfactualHint: 'Optional. As many tokens as the prompt; what causal tests put in place of it.',
    addCounterfactual: 'add',
    change: 'change',
    none: 'none',
    unknown: '…',
    tokens: (count: number) => few(count, 'token', 'tokens'),
    apply: 'Apply',
    shared: 'Changes it for everyone on this board.',
  },

  picker: {
    label: { target: 'target', foil: 'foil' },
    open: (role: string, text: string) => `Change the ${role}, now ${JSON.stringify(text)}`,
    placeholder: 'search, or a token id',
    likely: { target: 'the most likely token', foil: 'the most likely token other than the target' },
    noFoil: 'no foil: the plain logit',
  },

  metric: {
    computing: 'computing…',
    logit: 'logit',
    metric: 'metric',
    inPaths: (count: string) => `in ${count} ${count === '1' ? 'path' : 'paths'}`,
    unopened: 'unopened',
    error: 'error',
    counterfactual: (value: string) => `on the counterfactual ${value}`,
  },

  inspector: {
    label: 'Inspector',
    empty: 'Select a path to see its numbers, label it, test it and discuss it.',
    name: 'the name',
    deselect: 'Select nothing',
    below: 'Details ↓',
    link: 'link',
    linkLong: 'a link to this view and selection',
    value: 'Value of this path',
    suffixValue: 'Value of all paths that end in this suffix',
    contribution: 'adds to the metric',
    share: 'share of the metric',
    degree: 'degree',
    degreeFrom: (degree: number) => `${degree} or more`,
    byToken: 'By source token',
    byTokenRead: 'By source token: where it reads from',
    otherTokens: (count: number) => `${few(count, 'other token', 'other tokens')}`,
    allTokens: 'show all',
    fewTokens: 'show fewer',
    slotted: 'A path through one slot of a head is no part of the frozen expansion; it can be tested.',
    notListed: 'Not a part of the expansion at this prompt and position.',
  },

  pedigree: {
    title: 'Where these numbers come from',
    facts: {
      view: 'view',
      model: 'model',
      tokens: 'tokens',
      position: 'position',
      target: 'target',
      foil: 'foil',
      reference: 'reference',
      backend: 'computed by',
      engine: 'engine',
      error: 'error',
    },
    setting: (name: string) => `setting: ${name}`,
  },

  labels: {
    title: 'Labels',
    add: 'Add a label',
    none: 'None.',
    placeholder: 'Label (L)',
    submit: 'Add',
    rename: (text: string) => `Rename label ${text}`,
    remove: (text: string) => `Remove label ${text}`,
    all: 'Labels of the board',
    empty: 'None yet. Select a path and press L.',
    filter: (text: string, count: number) => `Show what is labelled ${text}: ${few(count, 'object', 'objects')}`,
    suggestions: 'Labels used on this board',
  },

  test: {
    title: 'Test it',
    reference: 'against',
    references: { counterfactual: 'counterfactual', zero: 'zero' },
    impossible: 'A test changes what the input, a head or an MLP writes: a bias is the same in every run.',
    effect: 'effect on the metric',
    against: (reference: string, before: string, after: string) => `against ${reference}: ${before} becomes ${after}`,
  },

  attach: {
    button: 'Attach to claim…',
    claim: 'Claim',
    newClaim: 'A new claim',
    submit: 'Attach',
  },

  predicate: {
    label: 'Predicate',
    hint: 'effect("…"), share(…), mass(…), loss(degree > 2), defect(max), metric, error, …, compared with a number; several joined by and.',
  },

  thread: {
    title: 'Thread',
    write: 'Write a comment',
    placeholder: 'Comment (C). Names of paths are linked; @ mentions somebody.',
    markdown: 'Markdown, $formulas$, `code`',
    post: 'Comment',
    edit: 'Edit',
    delete: 'Delete',
    edited: 'edited',
    resolve: 'Resolve',
    reopen: 'Reopen',
    resolvedBy: (name: string) => `resolved by ${name}`,
    show: (name: string) => `Show ${name}`,
    unread: 'new',
    earlier: 'What it said before',
    noEarlier: 'Its earlier texts were not kept.',
    people: 'People of the board',
    reply: 'Reply',
    replyingTo: (name: string) => `In reply to ${name}`,
    inReplyTo: (name: string, body: string) => `${name}: ${body.slice(0, 120)}`,
    inReplyToNone: 'in reply to a comment that was deleted',
    link: 'a link to this comment',
    mute: 'Mute',
    unmute: 'Unmute',
    muteHint: 'Replies here are not told to you; mentions are.',
  },

  outbox: {
    waiting: 'waiting to be sent',
    refused: 'not sent',
    held: 'written here under another name, not sent',
    sendAs: (name: string) => `Send as ${name}`,
    discard: 'Discard',
  },

  claims: {
    show: 'What is shown',
    shown: { claims: 'Claims', threads: 'Threads' },
    meanings: {
      claims: 'One sentence each: what people think of it, and what the numbers say.',
      threads: 'Everything that is talked about on this board.',
    },
    filter: 'show',
    filters: {
      all: 'all',
      holds: 'holds',
      fails: 'fails',
      'not tested': 'not tested',
      disagreement: 'disagreement',
      mine: 'with a stance of mine',
    },
    order: 'order',
    orders: { newest: 'newest first', stances: 'most stances first', verdict: 'failing first' },
    count: (shown: number, all: number) => `${shown} of ${few(all, 'claim', 'claims')}`,
    edit: (text: string) => `Edit the sentence: ${text}`,
    settled: 'Others have taken a stance on this sentence: make another claim instead.',
    about: 'Claims about this path',
    empty: 'No claims yet. For example: “Paths of degree 1 or less carry 90% of the metric here.”',
    sentence: 'Claim, one sentence',
    placeholder: 'A claim, in one sentence',
    create: 'Make the claim',
    people: 'People',
    computed: 'Computed',
    evidence: 'Evidence',
    thread: 'Discussion',
    discuss: 'Discuss',
    disagreements: {
      people: 'People disagree.',
      'for-but-fails': 'Someone is for it, but the evidence fails.',
      'against-but-holds': 'Someone is against it, but the evidence holds.',
    },
  },

  stance: {
    names: { for: 'for', against: 'against', unsure: 'unsure' },
    label: 'Your stance',
    reason: 'Your reason',
    addReason: 'add a reason',
    changeReason: 'change reason',
  },

  evidence: {
    add: 'Add evidence',
    none: 'None: not tested.',
    source: 'Compute',
    sources: {
      degrees: 'degrees: the sum of all paths of each degree',
      paths: 'paths: every complete path',
      'naive-expansion': 'naive expansion: how wrong it is, degree by degree',
      interactions: 'interactions, and how far each block is from additive',
      orders: 'orders: the loss from paths up to each degree',
      'path-effect': 'path effect of the claim’s path',
    },
    submit: 'Run and attach',
    compared: 'compared',
    again: 'Run again',
    reruns: 'Runs again',
    agrees: 'agrees',
    differs: 'differs',
    beside: 'shown beside, not counted:',
    tests: 'Tests of the predicate',
    discuss: 'Discuss this run',
    verdictThen: (verdict: string) => `then ${verdict}`,
    group: {
      about: (name: string, count: number) => `about ${name} as it was, ${few(count, 'member', 'members')}`,
      changed: 'changed since',
      deleted: 'deleted since',
      added: 'added since',
      removed: 'taken out since',
      show: 'Show it as it is now',
    },
    difference: (max: string) => `largest difference ${max}`,
  },

  threads: threadStrings,
  templates: templateStrings,

  help: {
    button: 'Help ?',
    title: 'Keys and signs',
    keys: [
      ['↑ ↓', 'previous, next path'],
      ['→ ←', 'open or enter; close or go to the suffix it belongs to'],
      ['Enter', 'open or close'],
      ['G', 'add the selected path to a mechanism'],
      ['Esc', 'from a field of the inspector back to the paths'],
      ['Ctrl Enter', 'post the comment'],
      ['Ctrl C', 'in a table of numbers: copy the row at full precision'],
    ] as [string, string][],
    signsTitle: 'Bars',
    positive: 'to the right: raises the metric',
    negative: 'to the left: lowers it',
    kindsTitle: 'Kinds of numbers',
    namesTitle: 'Names',
    names: [
      ['input->a0.h1->m1->logits', 'a path: the embeddings, head 1 of layer 0, the MLP of layer 1, the logits'],
      ['a0.h1->m1->logits', 'a suffix: all paths that end like this, added up'],
      ['a0.b  m0.b  logits.b', 'biases, where paths start as well'],
    ] as [string, string][],
  },
};
