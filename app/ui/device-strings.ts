import { few } from './few.ts';

export const deviceStrings = {
  title: 'Where this board is computed for you',
  change: 'Change where this board is computed for you',
  server: 'The server',
  serverText: 'Analyses go to the server, which computes them for everybody who asks.',
  browser: 'This browser',
  browserText:
    'The model is loaded into this browser once, checked by its hash and kept here. What you look at is computed here and told to nobody. The board’s own question, and runs that you keep as evidence, are shared as ever; the server computes those.',
  others: 'This is your choice for this board in this browser. It changes nothing for others.',
  here: 'this browser',
  selfTest: (error: string) => `self-test ok, off by ${error}`,
  starting: 'starting and testing itself…',
  details: {
    provider: 'computes with',
    detail: 'on',
    error: 'self-test',
    errorText: (error: string) => `passed on known numbers of two small models; largest difference ${error} of the largest number`,
    why: 'why not WebGPU',
  },
  providers: { webgpu: 'WebGPU, float32', wasm: 'WebAssembly on the CPU, float32' },
  lost: (why: string) =>
    `WebGPU was lost (${why.replace(/\.$/, '')}). This browser computes on the CPU from now on; what was under way was begun anew there by itself.`,
  fellBack: 'in place of WebGPU',
  broken: (why: string) =>
    `The engine in this browser ended: ${why}. It starts again with the next analysis; what was under way has to be asked again.`,
  kept: {
    title: 'Models kept in this browser',
    none: 'None yet. A model is kept once it has been loaded here, so that it need not be loaded again.',
    never: 'This browser keeps no models for this page: it came without TLS from another machine. A model is loaded each time.',
    size: (size: string, used: string) => `${size}, last used ${used}`,
    remove: (name: string) => `Remove ${name} from this browser`,
    removeShort: 'Remove',
    removed: (name: string) => `${name} was removed from this browser.`,
    rule: 'At most 4 GiB, and no more than the browser allows; the one that was not used for longest goes first.',
  },
  noModel: (name: string) => `The server has no model ${name} any more.`,
} as const;

/** The page on which a reader computes a published version anew in their own browser. */
export const verifyHereStrings = {
  title: 'Verify in this browser',
  meaning:
    'Every figure, run and verdict of the published version is computed anew here, from the prompt on, and compared with what the page states. The model is loaded into this browser and checked by its hash; the server computes nothing.',
  start: 'Verify',
  again: 'Verify again',
  table: 'What came out, part by part',
  columns: { part: 'Part', mark: 'Mark', numbers: 'Numbers', difference: 'Largest difference', tolerance: 'Tolerance' },
  marks: { reproduced: 'reproduced', 'not-reproduced': 'not reproduced', 'not-recomputed': 'cannot be recomputed' },
  outcome: {
    reproduced: 'Everything is reproduced.',
    'not-reproduced': 'Not everything is reproduced.',
    'not-recomputed': 'Not everything can be recomputed.',
  },
  computedOn: (provider: string, detail: string, error: string) =>
    `Computed here on ${provider} (${detail}), which was off by ${error} in the self-test.`,
  inBrowser: (detail: string, error: string) => `in this browser (${detail}, off by ${error} in the self-test)`,
  eachNumber: (count: number) => few(count, 'number', 'numbers'),
  moreNumbers: (count: number) => `and ${few(count, 'more', 'more')}`,
  number: (name: string, claimed: number | null, fresh: number | null, mark: string) =>
    `${name}: stated ${claimed ?? 'none'}, here ${fresh ?? 'none'}, ${mark}`,
  noWeights:
    'The publisher does not hand out the model’s weights, so that this browser cannot compute. The server can: use Verify on the page itself.',
  noPage: (status: number) => `The page could not be loaded (status ${status}).`,
} as const;
