'use client';
import { useId } from 'react';
import { parsePredicate } from '@/lib/board/predicate.ts';
import { Field } from '@/app/ui/field.tsx';
import { lineOf } from '@/app/ui/request.ts';
import { strings } from '@/app/ui/strings.ts';

/** Why a predicate cannot be read, or null. */
export function predicateFault(source: string): string | null {
  try {
    parsePredicate(source);
    return null;
  } catch (error) {
    return lineOf(error);
  }
}

interface PredicateFieldProps {
  value: string;
  onChange: (value: string) => void;
  /** others to choose from */
  proposed?: readonly string[];
  /** the server's line */
  error: string | null;
}

export function PredicateField({ value, onChange, proposed = [], error }: PredicateFieldProps) {
  const list = useId();
  return (
    <Field label={strings.predicate.label} error={error ?? predicateFault(value)} hint={strings.predicate.hint}>
      {(control) => (
        <>
          <input
            {...control}
            list={proposed.length > 1 ? list : undefined}
            value={value}
            spellCheck={false}
            onChange={(event) => onChange(event.target.value)}
            className="field font-mono text-xs"
          />
          {proposed.length > 1 ? (
            <datalist id={list}>
              {proposed.map((one) => (
                <option key={one}>{one}</option>
              ))}
            </datalist>
          ) : null}
        </>
      )}
    </Field>
  );
}
