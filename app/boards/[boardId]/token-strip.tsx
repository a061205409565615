'use client';
import { useEffect, useRef, type KeyboardEvent } from 'react';
import { tokenAnchor } from '@/lib/board/anchors.ts';
import type { Answer } from '@/lib/engine/index.ts';
import { visibleToken } from '@/lib/figures/numbers.ts';
import { strings } from '@/app/ui/strings.ts';
import { useBoard } from './board-context.tsx';
import { outlineOf, useLit } from './links.ts';
import { usePaint } from './token-paint.ts';

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
  const { paint: painted } = useBoard();
  const paint = usePaint(painted);
  const { tokens, tokenTexts } = answer;
  const largest = paint ? paint.values.reduce((most, value) => Math.max(most, Math.abs(value)), 0) : 0;

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
    <div className="min-w-0 flex-1">
      <div
        ref={strip}
        role="radiogroup"
        aria-label={strings.setup.position}
        className="relative flex max-h-32 flex-wrap gap-x-px gap-y-0.5 overflow-y-auto py-0.5"
      >
        {tokens.map((token, index) => (
          <StripToken
            key={index}
            index={index}
            id={token}
            text={tokenTexts?.[index] ?? String(token)}
            here={index === position}
            share={paint && largest > 0 ? (paint.values[index] ?? 0) / largest : null}
            value={paint?.values[index] ?? null}
            onChoose={onPosition}
            onKeyDown={onKeyDown}
          />
        ))}
      </div>
      <p data-testid="paint" className="h-4 truncate text-2xs text-soft" aria-hidden="true">
        {paint?.label}
      </p>
    </div>
  );
}

interface StripTokenProps {
  index: number;
  id: number;
  text: string;
  here: boolean;
  /** of the largest painted value, signed; null = nothing is painted */
  share: number | null;
  value: number | null;
  onChoose: ((position: number) => void) | null;
  onKeyDown: (event: KeyboardEvent) => void;
}

/** Painted at its strongest, so that text on it keeps its contrast. */
const DEEPEST = 45;

function StripToken({ index, id, text, here, share, value, onChoose, onKeyDown }: StripTokenProps) {
  const { links, select } = useBoard();
  const anchor = tokenAnchor(index);
  const lit = useLit(links, anchor);
  const outline = outlineOf(lit.others);
  const tone = share === null ? null : share < 0 ? 'var(--negative)' : 'var(--positive)';
  const painted = tone && { backgroundColor: `color-mix(in srgb, ${tone} ${Math.round(Math.abs(share!) * DEEPEST)}%, var(--sunken))` };
  const ground = here ? 'bg-chosen font-semibold' : `bg-sunken ${onChoose ? 'hover:bg-hover' : ''}`;
  return (
    <button
      type="button"
      role="radio"
      aria-checked={here}
      tabIndex={here ? 0 : -1}
      aria-label={strings.setup.tokenAt(text, index)}
      title={strings.setup.tokenTitle(text, index, id)}
      aria-disabled={onChoose === null}
      data-token={index}
      data-painted={value ?? undefined}
      data-lit={lit.own || undefined}
      onClick={(event) => (event.shiftKey || !onChoose ? select(anchor) : onChoose(index))}
      onKeyDown={onKeyDown}
      onPointerEnter={() => links.hover(anchor)}
      onPointerLeave={() => links.hover(null)}
      style={{ ...painted, ...(outline ? { boxShadow: `inset 0 -2px 0 ${outline}` } : {}) }}
      className={`relative rounded-[2px] px-1 pb-1.5 font-mono text-sm leading-5 ${ground}`}
    >
      {visibleToken(text)}
      {here ? (
        <span aria-hidden="true" className="absolute inset-x-0 bottom-[-1px] text-center text-[0.5625rem] leading-none">
          ▲
        </span>
      ) : null}
    </button>
  );
}
