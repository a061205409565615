import type { Trie, TrieNode } from './trie.ts';

/**
 * Which suffixes are shown open, small enough for an address:
 *
 *   state = [ "U" ] { node }                        of `logits`, which is open
 *   node  = code [ "U" ] [ "*" { node } "." ]       a suffix that is open; U: its smaller terms are shown, too
 *   code  = "a" layer "-" head | "m" layer
 *
 * so that `m1*a0-1.a1-2U` names m1->logits, a0.h1->m1->logits and, unfolded, a1.h2->logits.
 */
export interface OpenState {
  expanded: string[];
  unfolded: string[];
}

/** Characters. Beyond it the smaller suffixes are left closed. */
export const ADDRESS_LIMIT = 60_000;
const LONGEST_CODE = 12;
const SUFFIX_LIMIT = 10_000;
/** No model has as many stages as this. */
const DEEPEST = 500;

/** The empty text where nothing but `logits` is open. */
export function packOpen(trie: Trie, expanded: ReadonlySet<string>, unfolded: ReadonlySet<string>): string {
  const isOpen = (node: TrieNode) => node.children !== null && expanded.has(node.name);
  const least = leastSize(trie, isOpen);
  let text = unfolded.has(trie.root.name) ? 'U' : '';
  const write = (node: TrieNode): void => {
    for (const child of node.children!) {
      if (!isOpen(child) || Math.abs(child.value) < least) continue;
      text += codeOf(child.name) + (unfolded.has(child.name) ? 'U' : '');
      const before = text.length;
      text += '*';
      write(child);
      text = text.length === before + 1 ? text.slice(0, before) : `${text}.`;
    }
  };
  if (isOpen(trie.root)) write(trie.root);
  return text;
}

/** The |value| from which on suffixes are kept, so that the text stays within its limit. */
function leastSize({ root }: Trie, isOpen: (node: TrieNode) => boolean): number {
  const most = Math.min(SUFFIX_LIMIT, Math.floor(ADDRESS_LIMIT / LONGEST_CODE));
  const sizes: number[] = [];
  const visit = (node: TrieNode): void => {
    for (const child of node.children ?? []) {
      if (!isOpen(child)) continue;
      sizes.push(Math.abs(child.value));
      visit(child);
    }
  };
  visit(root);
  return sizes.length <= most ? 0 : sizes.sort((left, right) => right - left)[most - 1]!;
}

const CODE = /a(\d+)-(\d+)|m(\d+)|([U*.])/y;

/** What a text of an address opens, parents first. What cannot be read ends it. */
export function unpackOpen(text: string): OpenState {
  const state: OpenState = { expanded: ['logits'], unfolded: [] };
  const above: string[] = ['logits'];
  let last = 'logits';
  CODE.lastIndex = 0;
  for (let match = CODE.exec(text); match !== null && state.expanded.length < SUFFIX_LIMIT; match = CODE.exec(text)) {
    const [, layer, head, mlp, sign] = match;
    if (sign === 'U') state.unfolded.push(last);
    else if (sign === '*') {
      if (above.length === DEEPEST) break;
      above.push(last);
    } else if (sign === '.') {
      if (above.length === 1) break;
      above.pop();
    } else {
      last = `${mlp === undefined ? `a${layer}.h${head}` : `m${mlp}`}->${above.at(-1)}`;
      state.expanded.push(last);
    }
  }
  return state;
}

function codeOf(name: string): string {
  return name.slice(0, name.indexOf('->')).replace('.h', '-');
}
