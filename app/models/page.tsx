import type { Metadata } from 'next';
import { redirect } from 'next/navigation';
import { standingOf } from '@/server/access.ts';
import { app } from '@/server/app.ts';
import { boardsByModel } from '@/server/model-uses.ts';
import { mayOn } from '@/lib/roles.ts';
import { PageFrame } from '../ui/page-frame.tsx';
import { strings } from '../ui/strings.ts';
import { visitor } from '../ui/visitor.ts';
import { Importing } from './importing.tsx';
import { ModelTable } from './model-table.tsx';

export const metadata: Metadata = { title: strings.models.title };

export default async function ModelsPage() {
  const person = await visitor();
  if (!person) redirect('/sign-in?to=/models');
  const { models, config, db } = app();
  const [list, boards, standing] = await Promise.all([models.list(), boardsByModel(app()), standingOf(db, person)]);
  return (
    <PageFrame>
      <h1 className="mb-4 text-base font-semibold">{strings.models.title}</h1>
      {list.length === 0 ? <p className="text-sm text-soft">{strings.models.none}</p> : <ModelTable models={list} boards={boards} />}
      {mayOn(standing, 'models.import') ? (
        <Importing hubHost={new URL(config.modelEndpoint).host} mayReadFolders={mayOn(standing, 'models.import-folder')} />
      ) : (
        <p className="mt-8 max-w-2xl text-sm text-soft">{strings.models.askOwner}</p>
      )}
    </PageFrame>
  );
}
