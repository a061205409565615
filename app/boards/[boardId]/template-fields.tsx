'use client';
import type { TemplateSettings } from '@/lib/board/templates.ts';
import { Field } from '@/app/ui/field.tsx';
import { strings } from '@/app/ui/strings.ts';
import type { TemplateDraft, TemplateFaults } from './use-template-run.ts';

interface TemplateFieldsProps {
  settings: readonly (keyof TemplateSettings)[];
  /** what a setting means in this template */
  units: Partial<Record<keyof TemplateSettings, string>>;
  defaults: TemplateSettings;
  draft: TemplateDraft;
  faults: TemplateFaults;
  onDraft: (draft: TemplateDraft) => void;
}

/** What a template can be told. */
export function TemplateFields({ settings, units, defaults, draft, faults, onDraft }: TemplateFieldsProps) {
  const names = strings.templates.settings;
  return (
    <div className="flex flex-wrap items-start gap-x-4 gap-y-2">
      {settings.map((name) => (
        <Field
          key={name}
          label={names[name]}
          hint={units[name]}
          error={faults[name] ?? null}
          className={name === 'paths' ? 'w-full' : 'w-40'}
        >
          {(control) =>
            name === 'paths' ? (
              <textarea
                {...control}
                rows={3}
                spellCheck={false}
                value={draft.paths ?? ''}
                onChange={(event) => onDraft({ ...draft, paths: event.target.value })}
                className="field font-mono text-xs"
              />
            ) : (
              <input
                {...control}
                inputMode="decimal"
                value={draft[name] ?? String(defaults[name])}
                onChange={(event) => onDraft({ ...draft, [name]: event.target.value })}
                className="field font-mono text-xs"
              />
            )
          }
        </Field>
      ))}
    </div>
  );
}
