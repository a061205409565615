export * from './errors.ts';
export * from './names.ts';
export * from './request.ts';
export { analyze, ENGINE_VERSION, type TokenRequest } from './analyze.ts';
export { Model, type Control } from './model.ts';
export { readSpec } from './families.ts';
export type { ModelSpec } from './spec.ts';
export { headerLength, readHeader, type StoredTensor } from './weights.ts';
export { resolveRequest, withTexts } from './resolve.ts';
