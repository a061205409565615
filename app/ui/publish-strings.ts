import type { ExportFormat } from '@/lib/wire.ts';
import { few } from './few.ts';

/** What the screens about publishing, and about taking things in and out, say. */
export const publishStrings = {
  publish: {
    button: 'Publish',
    title: 'Publish this board as a page',
    titleField: 'Title',
    question: 'Question',
    findings: 'Findings',
    findingsHint: 'Paragraphs, - lists, **bold**, *emphasis*, `code`, $maths$.',
    slug: 'Address',
    slugHint: 'The same address again makes the next version; earlier ones stay as they are.',
    slugPlaceholder: 'made from the title',
    options: 'What readers get',
    threads: 'Include the discussion threads',
    anonymous: 'Anonymous, for double-blind review',
    anonymousHint:
      'Authors become “Author 1” and so on, in everything readers can have. It needs an address of its own. What you wrote yourselves is not searched for names, except for @mentions.',
    weights: (model: string) => `Let readers download the weights of ${model}`,
    weightsHint: 'Needed by who wants to verify elsewhere. Only if you may pass the model on.',
    submit: 'Publish',
    busy: 'Publishing…',
    done: (version: number) => `Published version ${version}:`,
    earlier: (count: number) => few(count, 'published version', 'published versions'),
  },

  deletion: {
    pages: 'Its published pages',
    keep: 'Keep them public',
    keepHint: 'They stay under their addresses, also when the board is gone for good.',
    remove: 'Take them along',
    removeHint: 'They are hidden at once, come back if the board does, and go with it after 30 days.',
  },

  files: {
    button: 'Files',
    title: 'Files for other tools',
    out: 'Take out',
    formats: [
      [
        'attribution-graph',
        'Attribution graph',
        'JSON of circuit-tracer and Neuronpedia: flow between token positions, mechanisms as supernodes',
      ],
      ['eap', 'EAP-IG graph', 'JSON of EAP-IG: every edge with its attribution'],
      ['annotations', 'Web annotations', 'W3C JSON-LD: labels, comments and claims with what they are about'],
      ['paths', 'Paths', 'CSV: the largest paths with their values'],
      ['labels', 'Labels', 'CSV'],
      ['claims', 'Claims', 'CSV, with verdicts and how many are for and against'],
      ['stances', 'Stances', 'CSV, with reasons'],
      ['evidence', 'Evidence', 'CSV: predicates, verdicts, runs'],
    ] as const satisfies readonly (readonly [ExportFormat, string, string])[],
    in: 'Bring in',
    inText:
      'An attribution graph or an EAP-IG graph brings its mechanisms, web annotations bring labels and comments. Comments come under your name, with a line that says where they are from.',
    file: 'File, up to 5 MB',
    busy: 'Reading…',
    noJson: 'file: expected JSON, got something else',
    done: (groups: number, labels: number, comments: number) =>
      `Brought in: ${few(groups, 'mechanism', 'mechanisms')}, ${few(labels, 'label', 'labels')}, ${few(comments, 'comment', 'comments')}.`,
    graphs: 'Graphs from elsewhere',
    unverified: 'imported, not verified',
    size: (nodes: string, links: string) => `${nodes} nodes, ${links} links`,
    remove: 'Remove',
    removeName: (name: string) => `Remove the graph ${name}`,
    removeSure: 'Remove this graph? What was made of it on the board stays.',
  },
};
