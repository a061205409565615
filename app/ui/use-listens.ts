'use client';
import { useSyncExternalStore } from 'react';

/** False for what the server drew until React listens to it: a click would be lost, what is typed would be taken back. */
export function useListens(): boolean {
  return useSyncExternalStore(never, listening, notListening);
}

const never = () => () => {};
const listening = () => true;
const notListening = () => false;
