import { expect, it } from 'vitest';
import { checkRoom } from './room.ts';

const GIB = 1024 ** 3;
const wasm = { provider: 'wasm', memory: 8 * GIB, buffer: null } as const;
const webgpu = { provider: 'webgpu', memory: null, buffer: GIB / 8 } as const;

it('lets through what fits', () => {
  expect(() => checkRoom('m', 0.5 * GIB, 0.2 * GIB, wasm)).not.toThrow();
  expect(() => checkRoom('m', 20 * GIB, GIB / 8, webgpu)).not.toThrow();
});

it('refuses with figures, and names the server', () => {
  expect(() => checkRoom('m', 2.7 * GIB, 0, wasm)).toThrow('at most 2.67 GiB on wasm in this tab, got 2.70 GiB; the server can compute it');
  expect(() => checkRoom('m', 3.1 * GIB, 0, { ...wasm, memory: null })).toThrow('at most 3.00 GiB');
  expect(() => checkRoom('m', 2 * GIB, 0, { ...wasm, memory: 4 * GIB })).toThrow('at most 1.33 GiB on wasm');
  expect(() => checkRoom('m', GIB, 0.15 * GIB, webgpu)).toThrow('largest tensor in this browser: expected at most 0.13 GiB');
});
