export * from './errors.ts';
export * from './names.ts';
export * from './request.ts';
export { analyze, ENGINE_VERSION, type TokenRequest } from './analyze.ts';
export { Model, checkTokens, type Control } from './model.ts';
export { readSpec, type ModelSpec } from './spec.ts';
export { headerLength, readHeader, type StoredTensor, type TensorTable } from './weights.ts';
export { resolveRequest, resolveToken, withTexts, type Texts } from './resolve.ts';
