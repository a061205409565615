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
      'Authors become “Author 1” and so on, in everything readers can have. What you wrote yourselves is not searched for names, except for @mentions.',
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
};
