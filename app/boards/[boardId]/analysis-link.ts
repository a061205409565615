import { ANALYSIS_VIEWS, isAnalysisView, type AnalysisView } from './analyses.ts';

/** An analysis in the address of the page: which one, and what was asked. */
export interface AnalysisPlace {
  view: AnalysisView;
  /** an address holds what somebody put there: `readRequest` says what it asks */
  asked: object | null;
}

const VIEW = 'a';
const REQUEST = 'q';
/** A longer request stands behind the #, which no server is sent. */
const LONGEST = 6000;

/** Adds the place to the parameters, and gives what belongs behind the #. */
export function writeAnalysis({ view, asked }: AnalysisPlace, params: URLSearchParams): string {
  params.set(VIEW, view);
  if (!asked) return '';
  const packed = pack({ ...asked, view: undefined });
  if (packed.length > LONGEST) return `#${REQUEST}=${packed}`;
  params.set(REQUEST, packed);
  return '';
}

/** Whatever cannot be read is left out. */
export function readAnalysis(params: URLSearchParams, hash: string): AnalysisPlace {
  const named = params.get(VIEW);
  const view = isAnalysisView(named) ? named : ANALYSIS_VIEWS[0]!;
  const packed = params.get(REQUEST) ?? new URLSearchParams(hash.replace(/^#/, '')).get(REQUEST);
  const rest = packed === null ? null : unpack(packed);
  return { view, asked: rest === null ? null : { ...rest, view } };
}

/** Base64url of JSON. */
function pack(value: object): string {
  const bytes = new TextEncoder().encode(JSON.stringify(value));
  const binary = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

function unpack(packed: string): object | null {
  try {
    const binary = atob(packed.replaceAll('-', '+').replaceAll('_', '/'));
    const value: unknown = JSON.parse(new TextDecoder().decode(Uint8Array.from(binary, (character) => character.charCodeAt(0))));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}
