import { register } from 'tsx/esm/api';

// A worker thread does not inherit the loader of its parent: it must be registered before any TypeScript is imported.
register();
await import('./worker.ts');
