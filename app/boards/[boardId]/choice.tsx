'use client';

interface ChoiceProps<V extends string> {
  label: string;
  values: readonly V[];
  names: Record<V, string>;
  value: V;
  /** null for the first, which is the default */
  onValue: (value: V | null) => void;
}

/** One of a few, in a line. */
export function Choice<V extends string>({ label, values, names, value, onValue }: ChoiceProps<V>) {
  return (
    <label className="flex items-center gap-1">
      {label}
      <select
        value={value}
        onChange={(event) => {
          const chosen = values.find((one) => one === event.target.value);
          onValue(chosen === undefined || chosen === values[0] ? null : chosen);
        }}
        className="rounded-[3px] border border-strong bg-paper px-1 py-0.5 text-ink"
      >
        {values.map((one) => (
          <option key={one} value={one}>
            {names[one]}
          </option>
        ))}
      </select>
    </label>
  );
}
