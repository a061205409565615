'use client';
import { useState } from 'react';
import { Button } from './button.tsx';
import { strings } from './strings.ts';

interface CopyButtonProps {
  text: string | (() => string);
  what: string;
  label?: string;
}

export function CopyButton({ text, what, label = strings.common.copyStates.ready }: CopyButtonProps) {
  const [state, setState] = useState<'ready' | 'copied' | 'refused'>('ready');

  const copy = async () => {
    const copied = await navigator.clipboard.writeText(typeof text === 'string' ? text : text()).then(
      () => true,
      () => false,
    );
    setState(copied ? 'copied' : 'refused');
    setTimeout(() => setState('ready'), 1500);
  };

  return (
    <Button tone="quiet" small onClick={copy} aria-label={`${strings.common.copy} ${what}`}>
      <span aria-live="polite">{state === 'ready' ? label : strings.common.copyStates[state]}</span>
    </Button>
  );
}
