import type { WorkerSummary } from '../../lib/wire.ts';
import type { Models } from '../context.ts';

/** What this process can compute with: each model with its sparse dictionaries. */
export async function modelsHere(models: Pick<Models, 'list' | 'dictionaries'>): Promise<WorkerSummary['models']> {
  const listed = await models.list();
  return Promise.all(
    listed.map(async ({ name, hash }) => {
      const dictionaries = await models.dictionaries(name);
      return { name, hash, dictionaries: dictionaries.map((dictionary) => ({ name: dictionary.name, hash: dictionary.hash })) };
    }),
  );
}
