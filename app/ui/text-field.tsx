'use client';
import type { InputHTMLAttributes, ReactNode } from 'react';
import { Field } from './field.tsx';
import { useListens } from './use-listens.ts';

interface TextFieldProps extends Omit<InputHTMLAttributes<HTMLInputElement>, 'onChange' | 'value'> {
  label: string;
  value: string;
  onValue: (value: string) => void;
  error?: string | null;
  hint?: ReactNode;
  bare?: boolean;
}

/** One line to be typed. */
export function TextField({
  label,
  value,
  onValue,
  error = null,
  hint,
  bare = false,
  className = '',
  readOnly = false,
  ...rest
}: TextFieldProps) {
  const listens = useListens();
  return (
    <Field label={label} error={error} hint={hint} bare={bare} className={className}>
      {(control) => (
        <input
          {...control}
          {...rest}
          readOnly={readOnly || !listens}
          value={value}
          onChange={(event) => onValue(event.target.value)}
          className="field text-sm"
        />
      )}
    </Field>
  );
}
