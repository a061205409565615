const COLOUR = /^#[0-9a-f]{3,8}$|^hsl\([\d.,%\s/degrad]+\)$/i;

/** A person's initials, outlined in the colour of their selection. */
export function Avatar({ name, color, title }: { name: string; color: string; title?: string }) {
  const outline = COLOUR.test(color) ? color : 'var(--line-strong)';
  return (
    <span
      role="img"
      aria-label={title ?? name}
      title={title ?? name}
      style={{ borderColor: outline }}
      className="inline-flex h-5 min-w-5 shrink-0 items-center justify-center rounded-full border-2 bg-paper px-0.5 text-[0.5625rem] font-semibold leading-none text-ink"
    >
      <span aria-hidden="true">{initials(name)}</span>
    </span>
  );
}

function initials(name: string): string {
  const words = name.trim().split(/\s+/);
  const letters = words.length > 1 ? [words[0], words.at(-1)] : [words[0]];
  return letters
    .map((word) => [...(word ?? '')][0] ?? '')
    .join('')
    .toUpperCase();
}
