'use client';
import { useSyncExternalStore } from 'react';
import type { AnalyzeRequest, Answer } from '@/lib/engine/index.ts';
import type { ModelSummary, TokenText } from '@/lib/wire.ts';
import type { BrowserEngine, CallOptions, Device, ModelPlace } from '@/lib/worker/browser-engine.ts';
import { request } from './request.ts';
import { strings } from './strings.ts';

/** Where analyses are computed: by the server, or in this browser, which then tells nobody what it is asked. */
export type Where = 'server' | 'browser';

export interface ComputingState {
  where: Where;
  /** what this browser computes with, once it has passed the self-test */
  device: Device | null;
  /** why this browser cannot compute */
  fault: string | null;
  /** what it computes with took the place of something better, and why */
  fellBack: string | null;
}

const KEY = (boardId: string) => `pathboard.computes.${boardId}`;
const SELF_TEST = '/self-test';

/** One for the page. A board names what was chosen for it when it opens. */
class Computing {
  #state: ComputingState = { where: 'server', device: null, fault: null, fellBack: null };
  #engine: Promise<BrowserEngine> | null = null;
  #models: Promise<ModelSummary[]> | null = null;
  #listeners = new Set<() => void>();

  get state(): ComputingState {
    return this.#state;
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** What was chosen for this board in this browser. */
  open(boardId: string): void {
    const where = localStorage.getItem(KEY(boardId)) === 'browser' ? 'browser' : 'server';
    this.#set({ where });
    if (where === 'browser') void this.#start().catch(() => {});
  }

  choose(boardId: string, where: Where): void {
    localStorage.setItem(KEY(boardId), where);
    this.#set({ where, fault: null });
    if (where === 'browser') void this.#start().catch(() => {});
  }

  async analyze(body: AnalyzeRequest, options: CallOptions): Promise<Answer> {
    const [engine, model] = await Promise.all([this.#start(), this.#placeOf(body.model)]);
    return engine.call('analyze', { model, request: body }, options);
  }

  async tokenize(name: string, text: string, options: CallOptions): Promise<TokenText[]> {
    const [engine, model] = await Promise.all([this.#start(), this.#placeOf(name)]);
    return engine.call('tokenize', { model, text, special: true }, options);
  }

  async searchTokens(name: string, query: string, limit: number, options: CallOptions): Promise<TokenText[]> {
    const [engine, model] = await Promise.all([this.#start(), this.#placeOf(name)]);
    return engine.call('searchTokens', { model, query, limit }, options);
  }

  async #start(): Promise<BrowserEngine> {
    this.#engine ??= import('@/lib/worker/browser-engine.ts').then(
      ({ BrowserEngine: Engine }) =>
        new Engine({
          selfTest: SELF_TEST,
          provider: null,
          onLost: (why, device) => this.#set({ device, fault: null, fellBack: strings.device.lost(why) }),
          onBroken: (why) => this.#set({ device: null, fault: strings.device.broken(why) }),
        }),
    );
    const engine = await this.#engine;
    try {
      const device = await engine.device();
      if (this.#state.device !== device) this.#set({ device, fault: null });
    } catch (error) {
      this.#set({ device: null, fault: error instanceof Error ? error.message : String(error) });
      throw error;
    }
    return engine;
  }

  async #placeOf(name: string): Promise<ModelPlace> {
    this.#models ??= request<ModelSummary[]>('/api/models');
    this.#models.catch(() => (this.#models = null));
    const model = (await this.#models).find((one) => one.name === name);
    if (!model) throw new Error(strings.device.noModel(name));
    const own = `/api/models/${encodeURIComponent(name)}`;
    return { name, hash: model.hash, base: `${own}/files/${model.hash}`, dictionaries: `${own}/dictionaries` };
  }

  #set(change: Partial<ComputingState>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#listeners) listener();
  }
}

export const computing = new Computing();

const AT_FIRST: ComputingState = { where: 'server', device: null, fault: null, fellBack: null };

export function useComputing(): ComputingState {
  return useSyncExternalStore(
    computing.subscribe,
    () => computing.state,
    () => AT_FIRST,
  );
}
