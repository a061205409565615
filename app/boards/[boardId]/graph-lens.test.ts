import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Lens } from './graph-lens.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const VIEW = { width: 800, height: 600 };
const CONTENT = { width: 1600, height: 300 };

function open(from: string | null = null) {
  const told: (string | null)[] = [];
  const lens = new Lens(from);
  lens.whenStill((camera) => told.push(camera));
  lens.resize(VIEW, CONTENT);
  return { lens, told };
}

describe('where a person looks', () => {
  it('is all of it until they move, whatever size the view takes', () => {
    const { lens, told } = open();
    expect(lens.camera.x).toBe(800);
    const { zoom } = lens.camera;
    lens.resize({ width: 400, height: 300 }, CONTENT);
    expect(lens.camera.zoom).toBeLessThan(zoom);
    vi.runAllTimers();
    expect(told).toEqual([]);
  });

  it('is told once, when they have come to rest', () => {
    const { lens, told } = open();
    lens.zoom(2);
    for (let i = 0; i < 5; i++) lens.pan(10, 0);
    expect(told).toEqual([]);
    vi.runAllTimers();
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(/^\d+,150,0\.9/);
    lens.fit();
    vi.runAllTimers();
    expect(told[1]).toBeNull();
  });

  it('is what an address says, kept on the content and through resizing', () => {
    const { lens } = open('99999,20,2');
    expect(lens.camera).toEqual({ x: 1600, y: 20, zoom: 2 });
    lens.resize({ width: 300, height: 200 }, CONTENT);
    expect(lens.camera.zoom).toBe(2);
    expect(open('nonsense').lens.camera.x).toBe(800);
  });

  it('is heard of at once by what draws it, and no more after leaving', () => {
    const { lens, told } = open();
    const heard = vi.fn<() => void>();
    const leave = lens.subscribe(heard);
    lens.centre(100, 100);
    expect(heard).toHaveBeenCalledTimes(1);
    leave();
    lens.centre(0, 0);
    expect(heard).toHaveBeenCalledTimes(1);
    lens.stop();
    vi.runAllTimers();
    expect(told).toEqual([]);
  });
});
