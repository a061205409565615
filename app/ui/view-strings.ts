import { few } from './few.ts';

const replaced = (reference: string) => (reference === 'zero' ? 'zero' : 'its output on the counterfactual prompt');

/** What the views of a board say. */
export const viewStrings = {
  unravel: {
    grid: 'Paths, from the logits backwards',
    scope:
      'An identity about this run. Value paths: attention patterns, norm scales and gates are held at this run; influence through q and k is credited to nobody.',
    scopeShort: 'about this run: value paths',
    openUntil: (percent: string) => `Open until ${percent}`,
    mass: 'of Σ|value| in complete paths',
    masses: 'How much to open',
    reaching: (share: string) => `${share} in paths`,
    reached: (share: string) => `${share} of Σ|value| lies in complete paths.`,
    stopped: (share: string) => `Stopped at ${share} of Σ|value| in complete paths: the list is full.`,
    restoring: 'opening what the link names',
    notRestored: (count: number) => `${few(count, 'suffix', 'suffixes')} of the link are no part of this model.`,
    columns: { path: 'Path', bar: 'Value', value: 'logits', share: 'of metric', comments: 'Comments', people: 'Who' },
    comments: (count: number) => few(count, 'comment', 'comments'),
    smaller: (count: string) => `${count} smaller terms`,
    filtered: (count: string) => `${count} ${count === '1' ? 'term' : 'terms'} that the filter hides`,
    complete: (count: string) => `Σ ${count} complete ${count === '1' ? 'path' : 'paths'}`,
    remainder: (count: string) => `remainder: Σ ${count} unopened ${count === '1' ? 'suffix' : 'suffixes'}`,
    totals: (complete: string, paths: string, unopened: string, suffixes: string, metric: string, error: string) =>
      `${complete} in ${paths} complete paths + ${unopened} in ${suffixes} unopened suffixes = ${metric}, error ${error}`,
    filter: 'Filter the rows by name or label',
    filterPlaceholder: 'name or label',
    least: 'Least share of the metric',
    leastAny: 'any share',
    leastOf: (percent: string) => `≥ ${percent}`,
    rows: (count: string) => `${count} rows`,
    allCsv: 'CSV of all',
    allCsvLong: 'Download every opened path as CSV',
    figure: (metric: string) => `The largest terms of the metric ${metric}`,
    others: (count: string) => `${count} other terms`,
    copied: (name: string) => `Copied the row of ${name}.`,
    from: (path: string) => `By source token: ${path}`,
    column: { name: 'path', kind: 'is', level: 'depth', degree: 'degree', value: 'value', share: 'share of the metric', labels: 'labels' },
    kinds: { path: 'path', opened: 'suffix, opened', suffix: 'suffix, unopened', rest: 'smaller terms', complete: 'complete paths' },
  },

  degrees: {
    meaning:
      'Bars: the exact sum of all paths with that many components. Line: the sum up to there. Value paths of this run, as in Unravel.',
    about:
      'Three questions on one axis, and their numbers are never mixed: what an exact expansion of this run has at each degree, how wrong the naive one is, and what blocks add together.',
    exact: 'The exact expansion',
    naive: 'The naive expansion',
    naiveMeaning:
      'Real blocks run on composed inputs, norms and biases included, and added up: not exact, since blocks are not additive. Relative error of the stream up to each degree, and the size of each degree.',
    upTo: 'up to degree',
    usual: 'usual',
    interactions: 'Interactions by order',
    interactionsMeaning:
      'What sets of that many blocks add together beyond their smaller sets. It sums to the metric too, but by other parts than paths.',
    interactionsTotal: (listed: string, remainder: string, metric: string, error: string) =>
      `Σ ${listed} + remainder ${remainder} = metric ${metric}, error ${error}`,
    orders: 'Importance by order',
    ordersMeaning:
      'The loss of the target when only paths up to each degree reach the logits: the drop from one to the next is what that degree is worth.',
    caption: 'Sum of all paths by degree',
    columns: { degree: 'Degree', value: 'Logits', share: 'Of metric', running: 'Up to here' },
    total: (sum: string, metric: string, error: string) => `Σ ${sum} = metric ${metric}, error ${error}`,
  },

  heads: {
    meaning:
      'Read off this run’s own attention: a score is the mean weight over queries, of the tokens up to the position that is read. It says where a head looks, not what that is worth.',
    scores: 'Attention scores',
    list: 'Scores of every head',
    score: { previous: 'Previous token', duplicate: 'Earlier copies of the token', induction: 'What followed earlier copies' },
    short: { previous: 'previous', duplicate: 'duplicate', induction: 'induction' },
    nothingToScore: {
      previous: 'The prompt has one token: there is none before it.',
      duplicate: 'No token of the prompt stood before, so there is nothing to score. Repeat a word in it.',
      induction: 'No token of the prompt stood before another, so there is nothing to score. Repeat a phrase in it.',
    },
    layer: 'layer',
    head: 'head',
    mapKeys: (score: string) => `${score}, layer by head. Arrow keys move, Enter chooses the head.`,
    loading: 'patterns',
    pattern: (name: string) => `Attention pattern of ${name}`,
    patternMeaning:
      'Rows are queries, columns the keys that they read, darker is more; a row sums to 1. Point at a query here or on the tokens above to see there what it attends to; click to keep it.',
    patternKeys: (name: string) => `Attention pattern of ${name}, query by key. Arrow keys move, Enter keeps the query.`,
    rooted: 'A long prompt: shades are of the square root of the weight, so that small ones show.',
    patternHint: 'Point at a cell, or move over it with the arrow keys, to read its weight.',
    thumbnails: 'Heads of the layer',
    query: 'query',
    key: 'key',
    reads: 'reads',
    readsMost: 'reads most from',
    weight: 'the weight',
    later: 'comes later: not read',
    attends: (name: string, query: number, text: string) => `What query ${query} ${JSON.stringify(text)} attends to in ${name}`,
    virtual: 'Virtual head',
    virtualMeaning: 'Two heads in a row read as one: A₂A₁ says how much each position reads from each through both.',
    first: 'first',
    second: 'then',
    readAsOne: 'Read as one',
    showEdge: (name: string) => `Show ${name}`,
    virtualFacts: (sum: string, tokens: string, error: string, norm: string, composition: string) =>
      `Σ ${sum} = ${tokens} tokens, error ${error} · ‖OV₁·OV₂‖ ${norm}, v-composition ${composition} (of the raw weights)`,
  },

  weights: {
    meaning:
      'Off the weights alone, so the same for every prompt: how strongly what an earlier head writes meets what a later head reads, beside what random heads of the same shapes give.',
    fold: 'fold the norm in',
    composition: 'Composition scores',
    pairs: 'Pairs of heads',
    slots: { q: 'Into the query', k: 'Into the key', v: 'Into the value' },
    writes: 'writes',
    reads: 'reads',
    mapKeys: (slot: string) => `Composition ${slot.toLowerCase()}, writer by reader. Arrow keys move, Enter selects the edge.`,
    above: 'Show pairs that lie above random heads by',
    any: 'any amount',
    deviations: (count: number) => `${count} standard ${count === 1 ? 'deviation' : 'deviations'}`,
    shown: (shown: string, all: string) =>
      shown === all ? `all ${all} pairs` : `${shown} of ${all} pairs in q, k or v; the others are hidden`,
    random: (mean: string, deviation: string) => `random ${mean} ± ${deviation}`,
    excess: (deviations: string) => `${deviations} deviations from random`,
    circuits: 'Full OV and QK circuits of a head',
    circuitsOf: (head: string) => `Full OV and QK circuits of ${head}`,
    circuitsMeaning:
      'The largest entries, token to token: what attending to a token adds to every logit (OV), and which query attends to which key (QK). Positions, norms and the scale of attention are left out.',
    headField: 'Head, such as a0.h1',
    showCircuits: 'Show',
    entries: 'Entries of each circuit',
    top: (count: number) => `top ${count}`,
    circuit: { ov: 'OV: attended token to logit', qk: 'QK: query token to key token' },
    columns: { attended: 'attended token', raised: 'logit of', query: 'query token', key: 'key token' },
  },

  interactions: {
    meaning:
      'I of a set is what its blocks add together beyond what its smaller sets add; every set was really run, norms and all. Not paths: for blocks that are affine, I is the sum of all paths through exactly these blocks.',
    limit: 'largest set',
    usual: 'usual',
    sum: (listed: string, sets: string, remainder: string, metric: string, error: string) =>
      `Σ I = ${listed} over ${sets} sets + remainder ${remainder} = metric ${metric}, error ${error}`,
    sumLong: 'the sum of all interactions',
    orders: (order: number, blocks: number) =>
      order >= blocks
        ? `All sets of the ${blocks} blocks.`
        : `Sets of up to ${order} of the ${blocks} blocks; what the larger ones add is the remainder.`,
    matrix: 'One block (diagonal) and pairs of blocks',
    matrixKeys: 'Interactions, block by block. Arrow keys move, Enter lists the sets with the block.',
    matrixHint: 'Point at a cell to read it.',
    block: 'block',
    byOrder: 'By order',
    columns: { order: 'Blocks in the set', sets: 'Sets', value: 'Σ I (logits)', mass: 'Σ|I|' },
    remainder: 'larger sets: remainder',
    list: 'Sets of blocks',
    order: 'of order',
    with: 'with',
    all: 'all',
    any: 'any block',
    defects: 'Additivity defects',
    defectsMeaning:
      'How far b(u+v) is from b(u) + b(v) − b(0), of its change: 0 for a block that is affine. Once as the block is, once with the norm’s scale held at the clean run.',
  },

  /** numbers about what is selected */
  parts: {
    node: {
      title: 'What it adds and carries',
      direct: 'adds directly',
      into: 'flows in',
      out: 'flows out',
      conserved: (error: string) => `What flows into a node, and its own bias, flows out of it. Into the logits: error ${error}.`,
      largestIn: 'Largest flows in',
      largestOut: 'Largest flows out',
      others: (count: number) => few(count, 'other', 'others'),
    },
    edge: {
      title: 'What the edge carries',
      flow: 'all paths through it',
      slot: 'Frozen paths go through the value alone, so this is of the whole edge.',
      none: 'No frozen path goes along this edge.',
      eap: 'Attribution of the edge (EAP)',
      score: (name: string) => `EAP ${name.match(/<[qkv]>$/)?.[0] ?? ''}`.trim(),
      against: (reference: string) => `What a patch against ${reference} would change, to first order.`,
    },
    units: {
      title: 'Units of a node on it',
      node: 'Node to open',
      open: 'Open into units',
      whole: (node: string) => `the path, through ${node}`,
      others: 'all others',
      sum: (sum: string, error: string) => `Σ ${sum}, error ${error}`,
    },
    token: {
      title: 'What comes from this token',
      total: 'adds to the metric',
      meaning: 'By the paths and suffixes listed: where a path’s source writes, and where a suffix’s first node reads.',
      some: (count: number) => `Without ${few(count, 'term', 'terms')} whose tokens are not known yet: open them one by one.`,
    },
    test: {
      run: { 'path-effect': 'Path effect', 'edge-patch': 'Patch the edge', ablate: 'Ablate it' },
      meaning: {
        'path-effect': (reference: string) => `The first node’s output is replaced by ${replaced(reference)}, on this path alone.`,
        'edge-patch': (reference: string) =>
          `The reader gets ${reference === 'zero' ? 'zero from the writer' : 'what the writer writes on the counterfactual prompt'}; everything after it is recomputed.`,
        ablate: (reference: string) => `Every reader gets ${replaced(reference)} from the node; everything after it is recomputed.`,
      },
    },
  },
};
