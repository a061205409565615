import { formatBytes } from '@/lib/figures/numbers.ts';
import type { ModelImport, ModelSource } from '@/lib/model-wire.ts';
import { few } from './few.ts';

const boards = (count: number) => few(count, 'board', 'boards');
const pages = (count: number) => few(count, 'published version', 'published versions');

export const modelStrings = {
  title: 'Models',
  columns: {
    name: 'Name',
    shape: 'Family, layers × heads × width',
    parameters: 'Parameters',
    size: 'Size',
    source: 'From',
    hash: 'Hash',
    boards: 'Boards',
  },
  builtIn: 'built in',
  noTokenizer: 'no tokenizer: prompts as token ids only',
  none: 'No model is installed. Import one below: for a start, a small one of the hub such as roneneldan/TinyStories-1M.',
  hashOf: (name: string) => `the whole hash of ${name}`,
  families: {
    gpt2: 'GPT-2',
    gpt_neox: 'GPT-NeoX',
    gpt_neo: 'GPT-Neo',
    llama: 'Llama',
    qwen2: 'Qwen2',
    'transformer-lens': 'TransformerLens',
  } as Record<string, string>,
  sources: (source: ModelSource): string => {
    switch (source.kind) {
      case 'built-in':
        return 'built in';
      case 'folder':
        return 'a folder';
      case 'upload':
        return 'an upload';
      case 'hub':
        return source.repository;
    }
  },
  askOwner: 'Models are imported and deleted by the owner of this installation, and by who owns a workspace together with them.',

  detail: {
    family: 'Family',
    layers: 'Layers',
    heads: 'Heads in each',
    width: 'Width of the residual stream',
    mlps: 'MLPs',
    mlpsOf: (has: boolean) => (has ? 'one in each layer' : 'none: attention only'),
    parameters: 'Parameters',
    vocabulary: 'Vocabulary',
    context: 'Context',
    tokens: (count: string) => `${count} tokens`,
    tokenizer: 'Tokenizer',
    hasTokenizer: 'tokenizer.json',
    size: 'Weights on disk',
    stored: (size: string, types: readonly string[]) => `${size}, ${types.join(' and ')}`,
    hash: 'Hash of all files (sha256)',
    from: 'Came from',
    hub: (source: Extract<ModelSource, { kind: 'hub' }>) => `${source.repository} at ${source.revision.slice(0, 12)}, ${source.host}`,
    at: (when: string) => `imported ${when}`,
    ranOn: 'Ran on',
    device: (provider: string, dtype: string) => `${provider}, ${dtype}`,
    notRun: 'nothing yet that was kept',
    uses: 'Where it is used',
    none: 'No board is about it.',
    others: (count: number, some: boolean) => `${count}${some ? ' other' : ''} ${count === 1 ? 'board' : 'boards'} that you may not see`,
    pages: (count: number) => `${pages(count)} ${count === 1 ? 'shows' : 'show'} its numbers`,
    loading: 'Looking where it is used…',
    all: 'All models',
  },

  delete: {
    open: 'Delete model…',
    title: (name: string) => `Delete ${name}?`,
    builtIn: 'A built-in model is part of the installation and stays.',
    text: (size: string) => `Its files (${size}) are removed from the server’s disk. It can be imported again.`,
    unused: 'No board and no published version is about it.',
    used: (count: number) =>
      `${boards(count)} ${count === 1 ? 'is' : 'are'} about it. ${count === 1 ? 'It keeps' : 'They keep'} what people wrote and the runs that were kept; nothing more can be computed there until a model of the same name and hash is back:`,
    pages: (count: number) =>
      `${pages(count)} ${count === 1 ? 'shows' : 'show'} its numbers. What is published stays; it can no longer be verified here, nor computed by its readers.`,
    more: (count: number) => `${few(count, 'other', 'others')}`,
    confirm: 'Delete the model',
    confirmUsed: 'Delete it all the same',
  },

  import: {
    title: 'Import a model',
    families:
      'Families: GPT-2, GPT-NeoX and Pythia, GPT-Neo, Llama, Qwen2, TransformerLens. Weights as safetensors alone: other formats can hold a program.',
    kinds: { hub: 'From the hub', upload: 'From this computer', folder: 'From a folder of the server' },
    kindLabel: 'Where the model comes from',
    name: 'Name here',
    nameHint: 'Letters, digits, dot, dash and underscore.',
    start: 'Import',
    hub: {
      label: 'Model',
      placeholder: 'OWNER/NAME or OWNER/NAME@REVISION',
      hint: (host: string) => `A model of ${host}, or the address of its page. A gated or private one needs HF_TOKEN of the server.`,
      example: 'For example',
      examples: ['roneneldan/TinyStories-1M', 'EleutherAI/pythia-70m', 'HuggingFaceTB/SmolLM2-135M'],
    },
    upload: {
      text: 'config.json, *.safetensors with their index, and tokenizer.json. They go to the server’s disk piece by piece; keep this window open until they are there.',
      folder: 'Choose a folder…',
      files: 'Choose files…',
      chosen: (count: number, size: string) => `${few(count, 'file', 'files')}, ${size}`,
      ignored: (count: number) => `${few(count, 'other file is', 'other files are')} not needed and not sent`,
      noModel: 'expected config.json and at least one .safetensors file, got neither both',
      pickle: (name: string) => `${name} is not sent: it could hold a program. Convert the model to safetensors first.`,
      start: 'Upload',
    },
    folder: {
      label: 'Folder on the server',
      hint: 'The whole path. The server reads it, so this is for the owner of the installation alone.',
    },
  },

  imports: {
    title: 'Imports',
    what: (found: ModelImport): string => {
      const verb = { fetch: 'fetching', copy: 'copying', check: 'checking', receive: 'receiving' }[found.stage];
      const what = `${verb} ${found.file ?? 'the model'}`;
      if (found.total === null) return found.done === 0 ? what : `${what}, ${formatBytes(found.done)}`;
      return `${what}, ${formatBytes(found.done)} of ${formatBytes(found.total)},`;
    },
    waiting: 'waits for another import to finish',
    elsewhere: 'sent from another window',
    stopped: (kept: number) => (kept > 0 ? `Stopped. ${formatBytes(kept)} are kept.` : 'Stopped.'),
    kept: (kept: number) => `${formatBytes(kept)} are kept.`,
    done: 'Imported.',
    goOn: 'Go on',
    again: 'Try again',
    chooseAgain: 'Choose the same files to go on',
    otherFiles: (name: string) =>
      `expected the ${name} that this upload began with (same size and time of change), got another one or none`,
    discard: 'Discard',
    discardQuestion: 'Discard what came?',
    of: (what: string, name: string) => `${what}: ${name}`,
    by: (name: string) => `begun by ${name}`,
    upload: 'an upload',
    leave: 'A model is still being sent from this window.',
  },
} as const;
