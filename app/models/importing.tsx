'use client';
import { Fault } from '@/app/ui/field.tsx';
import { strings } from '@/app/ui/strings.ts';
import { ImportForm } from './import-form.tsx';
import { ImportRow } from './import-row.tsx';
import { useImports } from './use-imports.ts';

interface ImportingProps {
  hubHost: string;
  /** folders of the server, too */
  mayReadFolders: boolean;
}

/** Imports under way, for everybody who may import, and a form for another one. */
export function Importing({ hubHost, mayReadFolders }: ImportingProps) {
  const { list, error, look } = useImports();
  return (
    <>
      {list && list.length > 0 ? (
        <section aria-labelledby="imports" className="mt-8">
          <h2 id="imports" className="mb-2 text-sm font-semibold">
            {strings.models.imports.title}
          </h2>
          <ul className="divide-y divide-line border-y border-line">
            {list.map((found) => (
              <ImportRow key={found.id} found={found} onChange={look} />
            ))}
          </ul>
        </section>
      ) : null}
      {error ? <Fault>{error}</Fault> : null}
      <ImportForm hubHost={hubHost} mayReadFolders={mayReadFolders} onBegun={look} />
    </>
  );
}
