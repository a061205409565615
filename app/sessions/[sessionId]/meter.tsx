/** How much of a whole is done, as a bar; the words beside it say the numbers. */
export function Meter({ label, value, max, className = '' }: { label: string; value: number; max: number; className?: string }) {
  return (
    <span
      role="progressbar"
      aria-label={label}
      aria-valuenow={value}
      aria-valuemin={0}
      aria-valuemax={max}
      className={`inline-block h-1.5 overflow-hidden rounded-[2px] border border-strong bg-paper align-middle ${className}`}
    >
      <span className="block h-full bg-ink" style={{ width: `${max > 0 ? (100 * value) / max : 0}%` }} />
    </span>
  );
}
