'use client';
import { useRef, useState } from 'react';
import { Button } from './button.tsx';
import { strings } from './strings.ts';

interface ConfirmButtonProps {
  label: string;
  /** read out in place of the label where several say the same */
  name?: string;
  question: string;
  disabled?: boolean;
  onConfirm: () => void;
}

/** Asks once more, in place, before it does what cannot be taken back by a click. */
export function ConfirmButton({ label, name, question, disabled = false, onConfirm }: ConfirmButtonProps) {
  const [asking, setAsking] = useState(false);
  const button = useRef<HTMLButtonElement>(null);

  const close = () => {
    setAsking(false);
    requestAnimationFrame(() => button.current?.focus());
  };

  if (!asking) {
    return (
      <Button ref={button} tone="quiet" small disabled={disabled} aria-label={name} onClick={() => setAsking(true)}>
        {label}
      </Button>
    );
  }
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- Escape in either of its buttons
    <span
      role="group"
      aria-label={question}
      className="flex flex-wrap items-center gap-1 text-xs"
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return;
        event.preventDefault();
        event.stopPropagation();
        close();
      }}
    >
      <span className="text-soft">{question}</span>
      <Button
        small
        autoFocus
        onClick={() => {
          close();
          onConfirm();
        }}
      >
        {label}
      </Button>
      <Button tone="quiet" small onClick={close}>
        {strings.common.cancel}
      </Button>
    </span>
  );
}
