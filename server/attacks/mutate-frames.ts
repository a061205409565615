import * as Y from 'yjs';
import * as payloads from './payloads.ts';
import type { Random } from './random.ts';

/** Frames of the protocol: some as a client of ours would send them, most of them not quite. */

const KEYS = ['a', 'b', 'c', 'title', 'setup', '__proto__', 'constructor', '', 'k'.repeat(300)];
const MAPS = ['labels', 'labels', 'labels', 'meta', 'secrets', '__proto__'];
const TEXTS = ['', 'x', '\0', '\ud800', 'é'.repeat(100), '<script>', '\u202e', 'x'.repeat(5000)];
/** Where numbers of the protocol stop being what they seem. */
const NUMBERS = [0, 1, 9, 127, 128, 255, 16_383, 16_384, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 52, Number.MAX_SAFE_INTEGER];

/** A frame that fits the document, and then, mostly, one that does not. */
export function randomFrame(random: Random, doc: Y.Doc, clients: readonly number[]): Uint8Array {
  const frame = randomMessage(random, doc, clients);
  let mutated = frame;
  while (random.chance(0.45)) mutated = mutateBytes(random, mutated, () => randomMessage(random, doc, clients));
  return mutated;
}

function randomMessage(random: Random, doc: Y.Doc, clients: readonly number[]): Uint8Array {
  const kind = random.fraction();
  if (kind < 0.6) return payloads.frame(0, random.chance(0.9) ? 2 : 1, randomUpdate(random, doc, clients));
  if (kind < 0.7) return payloads.frame(0, 0, random.chance(0.5) ? Y.encodeStateVector(doc) : randomStateVector(random, doc));
  if (kind < 0.9) return payloads.presenceOf(randomStates(random, clients));
  if (kind < 0.95) return payloads.frame(3);
  return payloads.frame(random.pick([0, 1, 2, 3, 4, 100, 101, ...NUMBERS]), random.pick(NUMBERS), random.bytes(random.below(40)));
}

function randomUpdate(random: Random, doc: Y.Doc, clients: readonly number[]): Uint8Array {
  if (random.chance(0.15)) return honestUpdate(random, doc, clients);
  const known = knownIds(random, doc);
  const blocks = [...new Set([random.pick(clients), ...(random.chance(0.3) ? [random.pick(clients)] : [])])]
    .sort((a, b) => b - a)
    .map((client) => {
      const clock = Math.max(0, Y.getState(doc.store, client) + (random.chance(0.9) ? 0 : random.below(7) - 3));
      const own = Array.from({ length: 4 }, (_, offset) => ({ client, clock: clock + offset }));
      const structs = Array.from({ length: 1 + random.below(4) }, () => randomStruct(random, [...known, ...own]));
      return { client, clock, structs };
    });
  const deletes = known
    .filter(() => random.chance(0.2))
    .map(({ client, clock }) => ({ client, ranges: [{ clock, length: random.chance(0.9) ? 1 + random.below(3) : random.pick(NUMBERS) }] }));
  return payloads.updateOf(blocks, deletes);
}

/** What Yjs itself makes of edits, under a client id of the sender. */
function honestUpdate(random: Random, doc: Y.Doc, clients: readonly number[]): Uint8Array {
  const copy = new Y.Doc();
  Y.applyUpdate(copy, Y.encodeStateAsUpdate(doc));
  copy.clientID = random.pick(clients);
  const before = Y.encodeStateVector(copy);
  const labels = copy.getMap('labels');
  for (let edit = 1 + random.below(3); edit > 0; edit--) {
    const key = random.pick(KEYS);
    const value = randomValue(random, 0);
    // Of a value with a field named constructor Yjs does not know what it is.
    if (random.chance(0.7)) labels.set(key, typeof value === 'object' && value?.constructor !== Object ? [] : value);
    else labels.delete(key);
  }
  return Y.encodeStateAsUpdate(copy, before);
}

function randomStruct(random: Random, ids: readonly payloads.Id[]): payloads.Struct {
  const kind = random.fraction();
  if (kind < 0.05) return payloads.gc(random.chance(0.8) ? random.below(4) : random.pick(NUMBERS));
  const key = random.chance(0.9) ? random.pick(KEYS) : null;
  if (kind < 0.1) return { ...payloads.deleted('', random.below(4)), key };
  const count = random.chance(0.85) ? 1 : random.below(4);
  const values = Array.from({ length: count }, () => randomValue(random, 0));
  return {
    ref: random.chance(0.95) ? 8 : 2,
    values,
    key,
    map: random.pick(MAPS),
    ...(random.chance(0.4) && { left: random.pick(ids) }),
    ...(random.chance(0.08) && { right: random.pick(ids) }),
    ...(random.chance(0.05) && { inside: random.pick(ids) }),
    ...(random.chance(0.03) && { length: random.pick(NUMBERS) }),
  };
}

/** Values that JSON has, and some that it has not. */
function randomValue(random: Random, depth: number): unknown {
  const inner = () => (depth < 20 ? randomValue(random, depth + 1) : 1);
  return random.pick<() => unknown>([
    () => random.below(1000),
    () => random.pick(TEXTS),
    () => null,
    () => undefined,
    () => true,
    () => Number.NaN,
    () => -0,
    () => 1e308,
    () => (random.chance(0.1) ? 5n : 1),
    () => (random.chance(0.1) ? random.bytes(5) : 1),
    () => ({ id: 'x', [random.pick(KEYS)]: inner() }),
    () => [inner(), inner()],
  ])();
}

function randomStateVector(random: Random, doc: Y.Doc): Uint8Array {
  const known = knownIds(random, doc);
  return payloads.encode((encoder) => {
    const listed = known.filter(() => random.chance(0.5));
    payloads.writeCount(encoder, random.chance(0.9) ? listed.length : random.pick(NUMBERS));
    for (const { client, clock } of listed) payloads.writeId(encoder, { client, clock: clock + random.below(3) });
  });
}

function randomStates(random: Random, clients: readonly number[]) {
  return Array.from({ length: random.chance(0.8) ? 1 : random.below(20) }, () => ({
    clientId: random.chance(0.8) ? random.pick(clients) : random.pick(NUMBERS),
    clock: random.chance(0.8) ? random.below(1000) : random.pick(NUMBERS),
    state: random.pick([
      'null',
      '{}',
      '{"selection":"a0.h0"}',
      '{"user":{"id":"x","name":"Owner"}}',
      '{"__proto__":{"user":1}}',
      '[]',
      '5',
      '{',
      '"x"',
      JSON.stringify({ selection: random.pick(TEXTS) }),
      `${'['.repeat(3000)}${']'.repeat(3000)}`,
    ]),
  }));
}

/** One id of every client that the document knows. */
function knownIds(random: Random, { store }: Y.Doc): payloads.Id[] {
  return [...store.clients].flatMap(([client, structs]) => {
    const struct = structs[random.below(structs.length)];
    return struct ? [{ client, clock: struct.id.clock + random.below(struct.length) }] : [];
  });
}

function mutateBytes(random: Random, bytes: Uint8Array, another: () => Uint8Array): Uint8Array {
  const at = random.below(bytes.length + 1);
  const head = bytes.subarray(0, at);
  const tail = bytes.subarray(at);
  switch (random.below(8)) {
    case 0:
      return bytes.map((byte, index) => (index === at ? byte ^ (1 << random.below(8)) : byte));
    case 1:
      return head;
    case 2:
      return payloads.joined(head, another().subarray(random.below(8)));
    case 3:
      return payloads.joined(head, payloads.varUint(random.pick(NUMBERS)), tail.subarray(1));
    case 4:
      return payloads.joined(head, random.bytes(random.below(9)), tail);
    case 5:
      return payloads.joined(bytes, bytes);
    case 6:
      return payloads.joined(Uint8Array.of(random.below(5), random.below(4)), bytes.subarray(2));
    default:
      return payloads.joined(head, tail.subarray(random.below(5)));
  }
}
