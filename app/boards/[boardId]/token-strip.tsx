'use client';
import { useEffect, useRef, type KeyboardEvent } from 'react';
import type { Answer } from '@/lib/engine/index.ts';
import { visibleToken } from '@/lib/figures/numbers.ts';
import { strings } from '@/app/ui/strings.ts';

interface TokenStripProps {
  answer: Answer;
  position: number;
  /** null: it can only be looked at */
  onPosition: ((position: number) => void) | null;
}

/** Scrolls `region` alone, by as little as shows `part`. */
function showInside(region: HTMLElement, part: HTMLElement): void {
  const { offsetTop: top, offsetHeight: height } = part;
  region.scrollTop = Math.min(top, Math.max(region.scrollTop, top + height - region.clientHeight));
}

/** The prompt's tokens. The marker is the position whose logits are read; click or arrow keys move it. */
export function TokenStrip({ answer, position, onPosition }: TokenStripProps) {
  const strip = useRef<HTMLDivElement>(null);
  const { tokens, tokenTexts } = answer;

  useEffect(() => {
    const chosen = strip.current?.querySelectorAll('button')[position];
    if (strip.current && chosen) showInside(strip.current, chosen);
  }, [position]);

  const onKeyDown = (event: KeyboardEvent) => {
    const steps: Record<string, number> = { ArrowLeft: position - 1, ArrowRight: position + 1, Home: 0, End: tokens.length - 1 };
    const next = steps[event.key];
    if (next === undefined || !onPosition) return;
    event.preventDefault();
    const place = Math.max(0, Math.min(tokens.length - 1, next));
    onPosition(place);
    strip.current?.querySelectorAll('button')[place]?.focus();
  };

  return (
    <div
      ref={strip}
      role="radiogroup"
      aria-label={strings.setup.position}
      className="relative flex max-h-32 min-w-0 flex-1 flex-wrap gap-x-px gap-y-0.5 overflow-y-auto py-0.5"
    >
      {tokens.map((token, index) => {
        const text = tokenTexts?.[index] ?? String(token);
        const here = index === position;
        return (
          <button
            key={index}
            type="button"
            role="radio"
            aria-checked={here}
            tabIndex={here ? 0 : -1}
            aria-label={strings.setup.tokenAt(text, index)}
            title={strings.setup.tokenTitle(text, index, token)}
            aria-disabled={onPosition === null}
            onClick={() => onPosition?.(index)}
            onKeyDown={onKeyDown}
            className={`relative rounded-[2px] px-1 pb-1.5 font-mono text-sm leading-5 ${here ? 'bg-chosen font-semibold' : `bg-sunken ${onPosition ? 'hover:bg-hover' : ''}`}`}
          >
            {visibleToken(text)}
            {here ? (
              <span aria-hidden="true" className="absolute inset-x-0 bottom-[-1px] text-center text-[0.5625rem] leading-none">
                ▲
              </span>
            ) : null}
          </button>
        );
      })}
    </div>
  );
}
