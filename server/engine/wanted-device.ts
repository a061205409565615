import { EngineError } from '../../lib/engine/index.ts';

/** What is asked of this machine's engine, by the environment or on the command line. */

export interface WantedDevice {
  device: (typeof DEVICES)[number];
  /** of matrix products, on CUDA alone */
  precision: (typeof PRECISIONS)[number];
}

/** auto: CUDA where it is there and computes known numbers right */
export const DEVICES = ['auto', 'cpu', 'cuda'] as const;
export const PRECISIONS = ['float32', 'float16'] as const;

/** @throws EngineError where PATHBOARD_DEVICE or PATHBOARD_PRECISION says something else */
export function wantedDevice(env: Readonly<Record<string, string | undefined>>): WantedDevice {
  return {
    device: choiceOf('PATHBOARD_DEVICE', env['PATHBOARD_DEVICE'], DEVICES),
    precision: choiceOf('PATHBOARD_PRECISION', env['PATHBOARD_PRECISION'], PRECISIONS),
  };
}

/** The first where nothing is given. */
export function choiceOf<T extends string>(where: string, given: string | undefined, choices: readonly [T, ...T[]]): T {
  if (!given) return choices[0];
  const found = choices.find((choice) => choice === given);
  if (found === undefined) throw new EngineError('bad-request', where, choices.join(', '), JSON.stringify(given));
  return found;
}

/**
 * CUDA multiplies float32 with 10 bits of mantissa unless told otherwise, and onnxruntime-node has no option for it: the
 * library reads this variable when it starts. Threads have a copy of the environment that libraries do not see, so
 * that the process's own thread must say it.
 */
export function refuseTf32(): void {
  process.env['NVIDIA_TF32_OVERRIDE'] = '0';
}
