'use client';
import { useId, type ReactNode } from 'react';

export interface FieldControl {
  id: string;
  'aria-invalid': boolean;
  'aria-describedby': string | undefined;
}

interface FieldProps {
  label: string;
  error?: string | null;
  hint?: ReactNode;
  /** the label is read out but not shown */
  bare?: boolean;
  className?: string;
  children: (control: FieldControl) => ReactNode;
}

/** A labelled control with its error right beside it. */
export function Field({ label, error = null, hint, bare = false, className = '', children }: FieldProps) {
  const id = useId();
  const described = [hint ? `${id}-hint` : null, error ? `${id}-error` : null].filter(Boolean).join(' ');
  return (
    <div className={className}>
      <label htmlFor={id} className={bare ? 'sr-only' : 'mb-1 block text-xs font-medium text-soft'}>
        {label}
      </label>
      {children({ id, 'aria-invalid': error !== null, 'aria-describedby': described || undefined })}
      {hint ? (
        <p id={`${id}-hint`} className="mt-1 text-xs text-soft">
          {hint}
        </p>
      ) : null}
      {error ? <Fault id={`${id}-error`}>{error}</Fault> : null}
    </div>
  );
}

/** What went wrong, in the server's own line. */
export function Fault({ id, children }: { id?: string; children: ReactNode }) {
  return (
    <p id={id} role="alert" className="mt-1 break-words text-xs font-medium text-fault">
      {children}
    </p>
  );
}
