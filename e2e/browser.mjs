import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { chromium } from '@playwright/test';

/** The Chromium that the tests drive: Playwright's own, else the system's. `node e2e/browser.mjs` installs one. */

const SYSTEM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', '/usr/bin/google-chrome-stable'];
const DOWNLOAD_MS = 300_000;

/** Options for launching it, or null where there is none. */
export function findBrowser() {
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  if (existsSync(chromium.executablePath())) return { args };
  const executablePath = SYSTEM.find((path) => existsSync(path));
  return executablePath ? { args, executablePath } : null;
}

function attempt(command, args) {
  console.log(`${command} ${args.join(' ')}`);
  return spawnSync(command, args, { stdio: 'inherit', timeout: DOWNLOAD_MS }).status === 0;
}

/** Playwright's own download first; Debian's package where that cannot be reached and we may install. */
function installBrowser() {
  if (attempt('npx', ['playwright', 'install', 'chromium']) && findBrowser()) return;
  if (process.getuid?.() !== 0) return;
  attempt('apt-get', ['update', '-qq']);
  attempt('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'chromium']);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  if (!findBrowser()) installBrowser();
  if (!findBrowser()) {
    console.error('browser: expected Chromium from Playwright or the system, got neither (install the package chromium)');
    process.exit(1);
  }
}
