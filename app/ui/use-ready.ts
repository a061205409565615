'use client';
import { useSyncExternalStore } from 'react';

const never = () => () => {};

/** False until the page answers to clicks: what was rendered by the server does not yet. */
export function useReady(): boolean {
  return useSyncExternalStore(
    never,
    () => true,
    () => false,
  );
}
