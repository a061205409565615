import { fileURLToPath } from 'node:url';

const dev = process.env.NODE_ENV === 'development';

/** Next starts its pages by inline scripts, and onnxruntime compiles WebAssembly. Nothing comes from elsewhere. */
const POLICY = [
  "default-src 'self'",
  `script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'${dev ? " 'unsafe-eval'" : ''}`,
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "worker-src 'self' blob:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

const COMMON = [
  { key: 'X-Content-Type-Options', value: 'nosniff' },
  { key: 'X-Frame-Options', value: 'DENY' },
  { key: 'Referrer-Policy', value: 'same-origin' },
];

/** @type {import('next').NextConfig} */
export default {
  serverExternalPackages: ['@electric-sql/pglite', 'onnxruntime-node', 'ws', 'yjs', 'y-protocols', 'lib0'],
  turbopack: { root: fileURLToPath(new URL('.', import.meta.url)) },
  // The check command compiles everything, tests included; a start does not have to do it again.
  typescript: { ignoreBuildErrors: true },
  poweredByHeader: false,
  devIndicators: false,
  async headers() {
    return [
      { source: '/:path*', headers: COMMON },
      // Published pages bring a stricter policy of their own.
      { source: '/((?!p/).*)', headers: [{ key: 'Content-Security-Policy', value: POLICY }] },
    ];
  },
};
