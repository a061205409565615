import { openWorld } from './world.ts';

/** A server in a process of its own, to be killed. Told the folder, it prints the port. */
const home = process.argv[2];
if (!home) throw new Error('child: expected a folder as its argument');
const { port } = await openWorld({ home, compactAfter: 20 });
process.stdout.write(`${port}\n`);
