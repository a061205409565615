'use client';
import { strings } from '@/app/ui/strings.ts';
import { useBoard } from './board-context.tsx';

/** What a test puts in the place of what it tests. */
export type TestReference = keyof typeof strings.test.references;

interface ReferenceChoiceProps {
  value: TestReference;
  onChange: (reference: TestReference) => void;
}

/** The counterfactual prompt where the board has one, or zero. */
export function ReferenceChoice({ value, onChange }: ReferenceChoiceProps) {
  const { setup } = useBoard();
  return (
    <label className="flex items-center gap-1 text-xs text-soft">
      {strings.test.reference}
      <select
        value={value}
        onChange={(event) => onChange(event.target.value as TestReference)}
        className="rounded-[3px] border border-strong bg-paper px-1 py-0.5 text-ink"
      >
        {setup.counterfactual === null ? null : <option value="counterfactual">{strings.test.references.counterfactual}</option>}
        <option value="zero">{strings.test.references.zero}</option>
      </select>
    </label>
  );
}
