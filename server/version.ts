import manifest from '../package.json' with { type: 'json' };

/** Of Pathboard. */
export const VERSION: string = manifest.version;
