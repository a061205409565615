import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Answer } from '../lib/engine/index.ts';
import { FIXTURES } from './engine/testing.ts';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
let home: string;

interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
}

function pathboard(...args: string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--import', 'tsx', 'server/cli.ts', ...args], {
      cwd: ROOT,
      env: { ...process.env, PATHBOARD_HOME: home },
    });
    const outcome: Outcome = { code: null, stdout: '', stderr: '' };
    child.stdout.on('data', (chunk: Buffer) => (outcome.stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (outcome.stderr += chunk.toString()));
    child.on('close', (code) => resolve({ ...outcome, code }));
  });
}

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'pathboard-home-'));
  const outcome = await pathboard('import', join(FIXTURES, 'random-gpt2'), '--json');
  expect(outcome).toMatchObject({ code: 0, stderr: '' });
  expect(JSON.parse(outcome.stdout)).toMatchObject({ name: 'random-gpt2', family: 'gpt2' });
});
afterAll(() => rm(home, { recursive: true }));

const QUESTION = [
  '--model',
  'random-gpt2',
  '--tokens',
  '3,14,15,9,2,6,5',
  '--counterfactual-tokens',
  '3,14,15,9,2,7,11',
  '--target',
  '7',
  '--foil',
  '8',
];

describe('the answer', () => {
  test('is one JSON value with its pedigree, and agrees with the golden', async () => {
    const golden = JSON.parse(await readFile(join(FIXTURES, 'goldens/random-gpt2.json'), 'utf8')) as {
      metric: number;
      frozen_paths: { top: Record<string, number> };
    };
    const outcome = await pathboard('analyze', 'paths', ...QUESTION, '--top', '5', '--json');
    expect(outcome).toMatchObject({ code: 0, stderr: '' });
    const answer = JSON.parse(outcome.stdout) as Answer;
    expect(answer).toMatchObject({
      view: 'paths',
      kind: 'identity',
      model: { name: 'random-gpt2' },
      backend: { engine: 'onnxruntime-node', provider: 'cpu', dtype: 'float32' },
      reference: null,
      tokens: [3, 14, 15, 9, 2, 6, 5],
      position: 6,
      target: 7,
      foil: 8,
      search: 'exhaustive',
    });
    expect(answer.model.hash).toMatch(/^[0-9a-f]{64}$/);
    expect(answer.metric).toBeCloseTo(golden.metric, 4);
    expect(answer.terms.map(({ name }) => name)).toEqual(Object.keys(golden.frozen_paths.top).slice(0, 5));
    expect(answer.terms.reduce((sum, { value }) => sum + value!, 0) + answer.remainder!).toBeCloseTo(answer.sum!, 9);
    expect(answer.error).toBe(Math.abs(answer.sum! - answer.metric!));
  });

  test('repeats paths as they were asked for, together too', async () => {
    const paths = ['input->a0.h1<v>->m0->logits', 'a1.h2->logits'];
    const outcome = await pathboard(
      'analyze',
      'path-effect',
      ...QUESTION,
      ...paths.flatMap((path) => ['--path', path]),
      '--together',
      '--json',
    );
    const answer = JSON.parse(outcome.stdout) as Answer;
    expect(answer).toMatchObject({ kind: 'causal', reference: 'counterfactual', joint: { names: paths } });
    expect(answer.terms.map(({ name }) => name)).toEqual([...paths, 'together']);
    expect(answer.terms[2]!.value).toBe(answer.joint!.value);
    expect(answer).not.toHaveProperty('error');
  });

  test('without --json is for people', async () => {
    const { code, stdout } = await pathboard('analyze', 'degrees', ...QUESTION);
    expect(code).toBe(0);
    expect(stdout).toContain('degrees (identity) of random-gpt2 at position 6');
    expect(stdout).toContain('identity error');
  });
});

describe('prompt sets', () => {
  const file = () => join(home, 'set.jsonl');
  const analyzeSet = (view: string, ...more: string[]) => pathboard('analyze', view, '--model', 'random-gpt2', ...more);

  test('are drawn, read back, and give the same as when drawn on the spot', async () => {
    const drawn = await pathboard('prompts', 'induction', '--model', 'random-gpt2', '--count', '4', '--seed', '9');
    expect(drawn).toMatchObject({ code: 0, stderr: '' });
    expect(drawn.stdout.trim().split('\n')).toHaveLength(4);
    const listed = await pathboard('prompts', 'induction', '--model', 'random-gpt2', '--count', '4', '--seed', '9', '--json');
    expect(JSON.parse(listed.stdout)).toEqual(
      drawn.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    );
    await writeFile(file(), drawn.stdout);
    const fromFile = await analyzeSet('degrees', '--prompts', file(), '--json');
    const onTheSpot = await analyzeSet('degrees', '--generate', 'induction', '--count', '4', '--seed', '9', '--json');
    expect([fromFile.code, onTheSpot.code]).toEqual([0, 0]);
    const [read, made] = [fromFile, onTheSpot].map(({ stdout }) => JSON.parse(stdout) as Answer) as [Answer, Answer];
    expect(read.examples).toHaveLength(4);
    expect(read.terms).toEqual(made.terms);
    expect(read.settings).toMatchObject({ promptSet: 'set.jsonl', prompts: 4 });
    expect(made.settings).toMatchObject({ promptSet: 'induction (seed 9)', prompts: 4 });
  });

  test('serve as the reference, and print as a table', async () => {
    const generate = ['--generate', 'induction', '--count', '3'];
    const { code, stdout } = await analyzeSet('ablate', ...generate, '--ablate', 'm0', '--ablate', 'a0.h1', '--ablation', 'mean');
    expect(code).toBe(0);
    expect(stdout).toContain('ablate (causal) of random-gpt2, mean over 3 prompts of induction (seed 0)');
    expect(stdout).toMatch(/^ +value +spread$/m);
    expect(stdout).toMatch(/^ *-?[\d.]+ +[\d.]+ {2}a0\.h1$/m);
    expect(stdout).toMatch(/^example +metric$/m);
    expect(stdout).toMatch(/^ +3 +-?[\d.]+ {2}\d+,/m);
    expect(stdout).toContain('direction: clean -> reference; ablation: mean');
    const widths = stdout
      .split('\n')
      .filter((line) => / (m0|a0\.h1)$/.test(line))
      .map((line) => line.search(/ (m0|a0\.h1)$/));
    expect(new Set(widths).size).toBe(1);
  });

  test('answer a resampled question with its donor', async () => {
    await writeFile(file(), '{"clean": [3, 14, 15, 9, 2, 6, 1]}\n{"clean": [1, 2, 3]}\n');
    const reference = ['--ablation', 'resample', '--reference-prompts', file()];
    const { code, stdout } = await pathboard('analyze', 'ablate', ...QUESTION, '--ablate', 'm0', ...reference, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      reference: 'resample',
      settings: { donor: 'example 1', referenceSet: 'set.jsonl', seed: 0 },
    });
  });
});

describe('a refusal is one line on stderr, JSON on stdout, exit code 2', () => {
  const tokens = ['--model', 'random-gpt2', '--tokens', '1,2,3'];
  const cases: [string, string[], string][] = [
    ['no command', ['fly'], 'command: expected models, import, dictionary, features, analyze, devices, prompts, boards, invite'],
    ['an unknown option', ['analyze', 'paths', '--colour'], 'command line'],
    ['an unknown view', ['analyze', 'auras', ...tokens], 'view: expected logits, direct'],
    ['an unknown model', ['analyze', 'paths', '--model', 'gpt9', '--tokens', '1'], 'model: expected'],
    ['no prompt', ['analyze', 'paths', '--model', 'random-gpt2'], 'prompt: expected one of a prompt, tokens and a prompt set, got none'],
    ['an empty prompt', ['analyze', 'paths', '--model', 'random-gpt2', '--prompt', ''], 'prompt: expected at least one character'],
    ['text without a tokenizer', ['analyze', 'paths', '--model', 'random-gpt2', '--prompt', 'hello'], 'no tokenizer.json'],
    [
      'a prompt beyond the context',
      ['analyze', 'paths', '--model', 'random-gpt2', '--tokens', Array(25).fill(1).join()],
      'at most 24 tokens',
    ],
    [
      'a token outside the vocabulary',
      ['analyze', 'paths', '--model', 'random-gpt2', '--tokens', '1,50'],
      'token 1: expected an id from 0 to 49',
    ],
    ['a target outside the vocabulary', ['analyze', 'paths', ...tokens, '--target', '50'], 'target: expected an id from 0 to 49'],
    [
      'a counterfactual of another length',
      ['analyze', 'paths', ...tokens, '--counterfactual-tokens', '1'],
      'counterfactual: expected 3 tokens',
    ],
    ['--top 0', ['analyze', 'paths', ...tokens, '--top', '0'], 'top: expected a whole number from 1 to 100000, got 0'],
    ['--top 10^9', ['analyze', 'paths', ...tokens, '--top', '1000000000'], 'top: expected a whole number from 1 to 100000'],
    ['a position outside the prompt', ['analyze', 'paths', ...tokens, '--position', '3'], 'position: expected a whole number from 0 to 2'],
    ['a path that does not parse', ['analyze', 'path-effect', ...tokens, '--path', 'input=>logits'], 'path'],
    ['a node that the model lacks', ['analyze', 'path-effect', ...tokens, '--path', 'input->a9.h0->logits'], 'a layer below 3'],
    ['a path that goes backwards', ['analyze', 'path-effect', ...tokens, '--path', 'input->m1->a0.h0->logits'], 'increasing stage order'],
    ['nothing to ablate to', ['analyze', 'ablate', ...tokens, '--ablate', 'm0', '--ablation', 'counterfactual'], 'a counterfactual prompt'],
    [
      'mean without a set',
      ['analyze', 'ablate', ...tokens, '--ablate', 'm0', '--ablation', 'mean'],
      'ablation mean: expected reference prompts',
    ],
    [
      'another ablation',
      ['analyze', 'ablate', ...tokens, '--ablation', 'noise'],
      '--ablation: expected counterfactual or zero or mean or resample',
    ],
    ['another granularity', ['analyze', 'paths', ...tokens, '--granularity', 'atom'], '--granularity: expected sublayer or head or neuron'],
    ['no whole number of steps', ['analyze', 'attribution', ...tokens, '--steps', '1.5'], '--steps: expected a whole number, got "1.5"'],
    ['a seed below 0', ['analyze', 'direct', ...tokens, '--seed', '-1'], 'seed'],
    ['a prompt for weights', ['analyze', 'composition', ...tokens], 'prompt: expected none, since composition is of weights alone'],
    ['a prompt and a set', ['analyze', 'direct', ...tokens, '--generate', 'induction', '--count', '2'], 'got tokens and a prompt set'],
    [
      'a generator without a count',
      ['analyze', 'direct', '--model', 'random-gpt2', '--generate', 'induction'],
      '--count: expected a number of prompts',
    ],
    ['a count without a generator', ['analyze', 'direct', ...tokens, '--count', '2'], '--count: expected only with --generate'],
    ['an unknown generator', ['prompts', 'gossip', '--model', 'random-gpt2', '--count', '2'], 'generator: expected induction or ioi'],
    [
      'a task that needs texts',
      ['prompts', 'ioi', '--model', 'random-gpt2', '--count', '2'],
      'ioi prompts: expected a model with a tokenizer.json',
    ],
    [
      'no file of prompts',
      ['analyze', 'direct', '--model', 'random-gpt2', '--prompts', '/nowhere.jsonl'],
      '--prompts: expected a readable file',
    ],
    ['paths of a set', ['analyze', 'paths', '--model', 'random-gpt2', '--generate', 'induction', '--count', '2'], 'paths of a prompt set'],
    ['a folder that is none', ['import', '/nowhere'], 'import: expected a directory'],
  ];
  test.each(cases)('%s', async (_, args, message) => {
    const outcome = await pathboard(...args, '--json');
    expect(outcome.code).toBe(2);
    expect(outcome.stderr.trim()).toContain(message);
    expect(outcome.stderr.trim()).not.toContain('\n');
    expect(JSON.parse(outcome.stdout)).toEqual({ error: { code: expect.any(String) as string, message: outcome.stderr.trim() } });
  });
});

describe('dictionaries', () => {
  const OF = ['--model', 'random-gpt2', '--dictionary', 'gpt2-skip2', '--tokens', '3,14,15,9,2'];

  test('are imported, listed, split over and deleted', async () => {
    const source = join(FIXTURES, 'dictionaries', 'gpt2-skip2');
    const made = await pathboard('dictionary', 'import', source, '--model', 'random-gpt2', '--json');
    expect(made).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(made.stdout)).toMatchObject({ name: 'gpt2-skip2', kind: 'transcoder', modelName: 'random-gpt2' });
    const listed = await pathboard('dictionary', 'list', '--model', 'random-gpt2');
    expect(listed.stdout).toMatch(/^gpt2-skip2 {2}of random-gpt2 {2}transcoder {2}blocks.2.ln2.hook_normalized -> blocks.2.hook_mlp_out/);

    const split = await pathboard('features', ...OF, '--path', 'm1->m2->logits', '--top', '3', '--json');
    expect(split).toMatchObject({ code: 0, stderr: '' });
    const answer = JSON.parse(split.stdout) as Answer;
    expect(answer).toMatchObject({ view: 'features', kind: 'identity', whole: { name: 'm1->m2->logits' } });
    expect(answer.terms.map(({ name }) => name)).toContain('m1->f2.error->logits');
    expect(answer.error).toBeLessThan(1e-5);

    const gone = await pathboard('dictionary', 'delete', 'gpt2-skip2', '--json');
    expect(JSON.parse(gone.stdout)).toMatchObject({ name: 'gpt2-skip2' });
    const after = await pathboard('features', ...OF, '--json');
    expect(after.code).toBe(2);
    expect(JSON.parse(after.stdout)).toMatchObject({
      error: { code: 'bad-request', message: expect.stringContaining('dictionary: expected') },
    });
  });

  test('want a verb', async () => {
    const outcome = await pathboard('dictionary', 'show');
    expect(outcome).toMatchObject({ code: 2, stderr: 'dictionary: expected import, list or delete, got "show"\n' });
  });
});
