import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { lineOfDevice } from './device-line.ts';
import { chooseDevice, probe } from './device.ts';
import { wantedDevice } from './wanted-device.ts';

it('takes the CPU where that is asked for', async () => {
  const device = await chooseDevice({ device: 'cpu', precision: 'float32' });
  expect(device).toMatchObject({ provider: 'cpu', precision: 'float32', why: 'the CPU was asked for' });
});

it.each(['auto', 'cuda'] as const)('says with %s why it is the CPU where the libraries are missing', async (device) => {
  const folder = await mkdtemp(join(tmpdir(), 'pathboard-no-cuda-'));
  const chosen = await chooseDevice({ device, precision: 'float16' }, folder);
  await rm(folder, { recursive: true });
  expect(chosen).toMatchObject({ provider: 'cpu', precision: 'float32', fellBack: device === 'cuda' });
  expect(lineOfDevice(chosen)).toMatch(/^cpu, float32, in place of cuda: no libonnxruntime_providers_shared\.so, .*npm run setup:cuda/);
});

it('tries a provider out on numbers that are known', async () => {
  expect(await probe('cpu', 'float32')).toBeLessThan(1e-5);
  const rounded = await probe('cpu', 'float16');
  expect(rounded).toBeGreaterThan(1e-5);
  expect(rounded).toBeLessThan(3e-2);
});

it('refuses a device that there is not', () => {
  expect(() => wantedDevice({ PATHBOARD_DEVICE: 'tpu' })).toThrow('PATHBOARD_DEVICE: expected auto, cpu, cuda, got "tpu"');
  expect(() => wantedDevice({ PATHBOARD_PRECISION: 'int8' })).toThrow('PATHBOARD_PRECISION: expected float32, float16');
  expect(wantedDevice({})).toEqual({ device: 'auto', precision: 'float32' });
});
