import { fileURLToPath } from 'node:url';

/** @type {import('next').NextConfig} */
export default {
  serverExternalPackages: [
    '@electric-sql/pglite',
    'ioredis',
    'onnxruntime-node',
    'pino',
    'prom-client',
    'rate-limiter-flexible',
    'ws',
    'yjs',
    'y-protocols',
    'lib0',
  ],
  turbopack: { root: fileURLToPath(new URL('.', import.meta.url)) },
  // The check command compiles everything, tests included; a start does not have to do it again.
  typescript: { ignoreBuildErrors: true },
  // Titles come with their page: one that streams in behind leaves the tab without a name meanwhile.
  htmlLimitedBots: /.*/,
  poweredByHeader: false,
  devIndicators: false,
};
