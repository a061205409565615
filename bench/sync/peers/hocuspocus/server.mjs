import { PGlite } from '@electric-sql/pglite';
import { Database } from '@hocuspocus/extension-database';
import { Server } from '@hocuspocus/server';
import { answer, stats } from './probe.mjs';

/** Hocuspocus with its own settings. With a folder as argument, its database extension keeps the documents in a PGlite there. */

const folder = process.argv[2];
const server = new Server({
  address: '127.0.0.1',
  port: 0,
  quiet: true,
  stopOnSignals: false,
  extensions: folder ? [await databaseIn(folder)] : [],
});
await server.listen();
process.send?.({ port: server.address.port });
answer({ stats });

async function databaseIn(path) {
  const database = await PGlite.create(path);
  await database.exec('create table documents (name text primary key, data bytea not null)');
  const store = 'insert into documents values ($1, $2) on conflict (name) do update set data = excluded.data';
  return new Database({
    async fetch({ documentName }) {
      const { rows } = await database.query('select data from documents where name = $1', [documentName]);
      return rows[0]?.data ?? null;
    },
    async store({ documentName, state }) {
      await database.query(store, [documentName, state]);
    },
  });
}
