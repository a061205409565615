import { availableParallelism } from 'node:os';
import { lineOfDevice } from '../engine/device-line.ts';
import { createEngine } from '../engine/index.ts';
import { DEVICES, PRECISIONS, choiceOf, wantedDevice, type WantedDevice } from '../engine/wanted-device.ts';
import type { Command, Values } from './options.ts';
import { print } from './output.ts';

/** What the engine on this machine would compute with, tried out. */
export async function devices({ home, values }: Command): Promise<void> {
  const engine = createEngine({ home, threads: availableParallelism(), wanted: wantedOf(values) });
  try {
    const device = await engine.device();
    print(device, values, () => [lineOfDevice(device)]);
  } finally {
    await engine.close();
  }
}

/** The command line goes before the environment. */
export function wantedOf({ provider, precision }: Values): WantedDevice {
  const { device, precision: otherwise } = wantedDevice(process.env);
  return {
    device: provider === undefined ? device : choiceOf('--provider', provider, DEVICES),
    precision: precision === undefined ? otherwise : choiceOf('--precision', precision, PRECISIONS),
  };
}
