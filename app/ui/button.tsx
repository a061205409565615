'use client';
import type { ButtonHTMLAttributes, Ref } from 'react';
import { useListens } from './use-listens.ts';

const TONES = {
  main: 'border-ink bg-ink text-paper hover:opacity-90',
  plain: 'border-strong bg-paper text-ink hover:bg-hover',
  quiet: 'border-transparent bg-transparent text-soft hover:bg-hover hover:text-ink',
};

export interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  tone?: keyof typeof TONES;
  small?: boolean;
  ref?: Ref<HTMLButtonElement>;
}

/** Disabled until React listens: a click on what the server drew would be lost, and a form would be sent as an address. */
export function Button({ tone = 'plain', small = false, className = '', type = 'button', disabled = false, ...rest }: ButtonProps) {
  const listens = useListens();
  const size = small ? 'px-1.5 py-0.5 text-xs' : 'px-3 py-1.5 text-sm';
  return (
    <button
      type={type}
      className={`inline-flex items-center gap-1.5 whitespace-nowrap rounded-[3px] border font-medium disabled:cursor-not-allowed ${listens ? 'disabled:opacity-50' : ''} ${size} ${TONES[tone]} ${className}`}
      disabled={disabled || !listens}
      {...rest}
    />
  );
}
