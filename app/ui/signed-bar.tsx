/** A value as a bar from the middle: right of it positive, left of it negative. */
export function SignedBar({ value, scale }: { value: number; scale: number }) {
  const part = scale > 0 ? Math.min(1, Math.abs(value) / scale) * 50 : 0;
  const positive = value >= 0;
  return (
    <span aria-hidden="true" className="relative block h-2.5 w-full">
      <span className="absolute inset-y-[-3px] left-1/2 w-px bg-line" />
      {value === 0 ? null : (
        <span
          className={`absolute inset-y-0 ${positive ? 'left-1/2 bg-positive' : 'right-1/2 bg-negative'}`}
          style={{ width: `max(1px, ${part}%)` }}
        />
      )}
    </span>
  );
}
