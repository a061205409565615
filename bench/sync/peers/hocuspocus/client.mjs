export { HocuspocusProvider, HocuspocusProviderWebsocket } from '@hocuspocus/provider';
/** The copy that the provider was loaded with: another one's documents are strangers to it. */
export * as Y from 'yjs';
