import { setPersistence, setupWSConnection } from '@y/websocket-server/utils';
import { createServer } from 'node:http';
import { LeveldbPersistence } from 'y-leveldb';
import ws from 'ws';
import * as Y from 'yjs';
import { answer, stats } from './probe.mjs';

/** `@y/websocket-server` as its own server.js sets it up. With a folder as argument, a LevelDB database there keeps the documents. */

const folder = process.argv[2];
if (folder) persistIn(folder);

const sockets = new ws.Server({ noServer: true });
sockets.on('connection', setupWSConnection);
const server = createServer((_, response) => response.end('okay'));
server.on('upgrade', (request, socket, head) => {
  sockets.handleUpgrade(request, socket, head, (open) => sockets.emit('connection', open, request));
});
server.listen(0, '127.0.0.1', () => process.send?.({ port: server.address().port }));
answer({ stats });

/** As y-websocket's own server did while it had LevelDB built in: nobody waits for a write. */
function persistIn(path) {
  const levels = new LeveldbPersistence(path);
  setPersistence({
    provider: levels,
    async bindState(name, doc) {
      const stored = await levels.getYDoc(name);
      levels.storeUpdate(name, Y.encodeStateAsUpdate(doc));
      Y.applyUpdate(doc, Y.encodeStateAsUpdate(stored));
      doc.on('update', (update) => void levels.storeUpdate(name, update));
    },
    async writeState() {},
  });
}
