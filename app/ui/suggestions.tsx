'use client';

interface SuggestionsProps {
  /** of the list; its options are `ID-0`, `ID-1`, … */
  id: string;
  label: string;
  options: readonly string[];
  active: number;
  onTake: (index: number) => void;
}

/** What a field that is being typed in offers. The field keeps the focus and has the keys. */
export function Suggestions({ id, label, options, active, onTake }: SuggestionsProps) {
  return (
    <div
      id={id}
      role="listbox"
      tabIndex={-1}
      aria-label={label}
      className="absolute inset-x-0 top-full z-30 mt-0.5 rounded-[3px] border border-strong bg-paper p-1 shadow-lg"
    >
      {options.map((option, index) => (
        // oxlint-disable-next-line jsx-a11y/click-events-have-key-events -- the field has the keys
        <div
          key={option}
          id={`${id}-${index}`}
          role="option"
          tabIndex={-1}
          aria-selected={index === active}
          onPointerDown={(event) => event.preventDefault()}
          onClick={() => onTake(index)}
          className={`cursor-default truncate rounded-[3px] px-2 py-0.5 text-sm ${index === active ? 'bg-chosen' : 'hover:bg-hover'}`}
        >
          {option}
        </div>
      ))}
    </div>
  );
}
