import type { ServerDevice } from './device.ts';

/** One line for a log or a person. */
export function lineOfDevice({ provider, precision, error, why }: ServerDevice): string {
  const tested = error === null ? '' : `, self-test off by ${error.toExponential(1)}`;
  return `${provider}, ${precision}${tested}${why === null ? ', TF32 off' : `, in place of cuda: ${why}`}`;
}
