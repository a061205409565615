import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { launch } from './server.ts';

/** Builds what has changed by starting the installation once as a person does. */
export default async function build(): Promise<void> {
  const home = await mkdtemp(join(tmpdir(), 'pathboard-build-'));
  const started = await launch(['server/launch.mjs'], { home, port: 0 });
  await started.stop('SIGTERM');
  await rm(home, { recursive: true, force: true });
}
