'use client';
import { TextField } from './text-field.tsx';
import { strings } from './strings.ts';

interface NewPasswordProps {
  label?: string;
  value: string;
  onValue: (value: string) => void;
  error: string | null;
}

/** A password that is chosen now. */
export function NewPassword({ label = strings.signIn.password, ...field }: NewPasswordProps) {
  return (
    <TextField
      {...field}
      label={label}
      type="password"
      autoComplete="new-password"
      minLength={10}
      maxLength={200}
      required
      hint={strings.signIn.passwordHint}
    />
  );
}
