import { defineConfig } from '@playwright/test';
import { findBrowser } from './browser.mjs';

const launchOptions = findBrowser();
if (!launchOptions) throw new Error('browser: expected Chromium, got none (node e2e/browser.mjs installs one)');

export default defineConfig({
  testDir: '.',
  outputDir: '../test-results/run',
  globalSetup: './build.ts',
  // Each has a server of its own.
  workers: 2,
  timeout: 120_000,
  expect: { timeout: 15_000 },
  forbidOnly: process.env['CI'] !== undefined,
  // Browsers, servers and databases share few cores there. What needed a second attempt is listed as flaky at the end.
  retries: process.env['CI'] === undefined ? 0 : 1,
  reporter: [['list']],
  use: { launchOptions, viewport: { width: 1440, height: 900 }, colorScheme: 'light', trace: 'retain-on-failure' },
});
