'use client';
import { useState } from 'react';
import { Button } from './button.tsx';
import { strings } from './strings.ts';

export function CopyButton({ text, what }: { text: string; what: string }) {
  const [state, setState] = useState<'ready' | 'copied' | 'refused'>('ready');

  const copy = async () => {
    const copied = await navigator.clipboard.writeText(text).then(
      () => true,
      () => false,
    );
    setState(copied ? 'copied' : 'refused');
    setTimeout(() => setState('ready'), 1500);
  };

  return (
    <Button tone="quiet" small onClick={copy} aria-label={`${strings.common.copy} ${what}`}>
      <span aria-live="polite">{strings.common.copyStates[state]}</span>
    </Button>
  );
}
