import { takeLock } from '../lock.ts';
import { restoreIntoFolder } from './restore.ts';

/** Restores one backup after the other, for ever, in a process of its own, to be killed. */
const [home, ...files] = process.argv.slice(2);
if (!home || files.length === 0) throw new Error('restore-child: expected a folder and backups as its arguments');
takeLock(home);
for (let i = 0; ; i++) {
  process.stdout.write(`${i}\n`);
  // oxlint-disable-next-line no-await-in-loop -- one after the other is the point
  await restoreIntoFolder(home, files[i % files.length]!, Date.now());
}
