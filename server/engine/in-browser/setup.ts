import { afterAll } from 'vitest';
import { closePage } from './runtime.ts';

afterAll(closePage);
