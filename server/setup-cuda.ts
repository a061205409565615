import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { lineOfDevice } from './engine/device-line.ts';
import { chooseDevice, providerFolder } from './engine/device.ts';
import { PINNED, setUpCuda } from './engine/setup-cuda.ts';
import { refuseTf32 } from './engine/wanted-device.ts';

/** `npm run setup:cuda [-- --from PATH] [--index URL]`: fetches, verifies, installs, and tries it out. */

const INDEX = 'https://pypi.org/simple/';

const { values } = parseArgs({ options: { from: { type: 'string' }, index: { type: 'string', default: INDEX } } });
const { version } = createRequire(import.meta.url)('onnxruntime-node/package.json') as { version: string };
const tell = (line: string) => process.stdout.write(`${line}\n`);

try {
  await setUpCuda({
    version,
    platform: `${process.platform}/${process.arch}`,
    target: providerFolder(),
    pinned: PINNED,
    from: values.from === undefined ? null : resolve(process.env['INIT_CWD'] ?? '.', values.from),
    index: values.index,
    tell,
  });
  refuseTf32();
  const device = await chooseDevice({ device: 'cuda', precision: 'float32' });
  tell(`engine: ${lineOfDevice(device)}`);
  if (device.provider !== 'cuda') {
    tell('The libraries are installed and CUDA does not run: it needs an NVIDIA driver, CUDA 13 and cuDNN 9. The CPU goes on computing.');
    process.exitCode = 3;
  }
} catch (error) {
  process.stderr.write(`setup:cuda: ${(error as Error).message}\n`);
  process.exitCode = 2;
}
