import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { addLabel, setTitle } from '../../lib/board/board-doc.ts';
import type { Answer } from '../../lib/engine/index.ts';
import { figuresOf } from '../../lib/figures/term-figures.ts';
import { until, type Actor } from '../testing/world.ts';
import { Arena } from './arena.ts';
import { EFFECT, join } from './place.ts';

/** What people write, on pages that others read: it is text there, whatever it looks like. */

let arena: Arena;
let host: Actor;
beforeAll(async () => {
  arena = await Arena.open();
  host = await arena.world.account('Host');
});
afterAll(() => arena.close());

const HOSTILE = [
  '<script>alert(1)</script>',
  '</title></style></textarea><script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '"><svg/onload=alert(1)>',
  "' onmouseover='alert(1)",
  '" style="background:url(https://evil.example)" x="',
  '<a href="javascript:alert(1)">here</a>',
  '[here](javascript:alert(1))',
  '![x](https://evil.example/x.png)',
  '<iframe src=//evil.example>',
  '<!-- <b> --!><script>alert(1)</script>',
  '<![CDATA[<script>alert(1)</script>]]>',
  '&lt;script&gt;alert(1)&lt;/script&gt;',
  '<math><mi//xlink:href="data:x,<script>alert(1)</script>">',
  '\u2028<script>alert(1)</script>\u2029',
  '<scr\0ipt>alert(1)</scr\0ipt>',
  '${alert(1)} {{alert(1)}} <%= alert(1) %>',
  '<base href="https://evil.example/"><meta http-equiv="refresh" content="0;url=https://evil.example">',
];
const FORBIDDEN = /^(?:img|iframe|object|embed|base|input|math|video|audio|on.*)$/i;
/** What stands around an article and is no person's: links to files, the form that asks for a verification, one script. */
const OURS =
  /^(?:(?:href|src|action)="(?:\/p\/[a-z0-9-]+\/v\d+(?:\/[\w./-]*)?|\/verify\/[a-z0-9-]+\/v\d+|\/p-assets\/page\.js|http:\/\/127\.0\.0\.1:\d+\/p\/[\w./-]+)")$/;

describe('a published page', () => {
  let plain: string[];
  beforeAll(async () => {
    plain = tagsOf((await publishedWith('word', 'Reader')).text);
  });

  test.each(HOSTILE)('with %j in every text has the tags of one with a plain word', async (hostile) => {
    const target = await arena.target();
    await arena.survives(target, async () => {
      const { text, headers } = await publishedWith(hostile, hostile.replaceAll(/\p{C}/gu, '').slice(0, 30));
      const tags = tagsOf(text);
      expect(tags).toEqual(plain);
      expect(tags.filter((tag) => FORBIDDEN.test(tag))).toEqual([]);
      const addresses = text.match(/\s(?:href|src|action)="[^"]*"/g) ?? [];
      expect(addresses.map((one) => one.trim()).filter((one) => !OURS.test(one))).toEqual([]);
      expect(text.match(/<script/g)).toHaveLength(1);
      expect(text.toLowerCase()).not.toMatch(/\s(?:href|src|action|formaction|style)="[^"]*javascript:/);
      expect(headers['content-security-policy']).toContain("default-src 'none'");
      expect(headers['content-security-policy']).toContain(
        "script-src 'self'; connect-src 'self'; frame-src 'self'; style-src 'unsafe-inline'; img-src 'self' data:",
      );
      expect(headers['content-security-policy']).not.toMatch(/unsafe-eval|nonce/);
      expect(headers['x-content-type-options']).toBe('nosniff');
      return 'text';
    });
  });

  test.each<[string, string]>([
    ['stars', '*'.repeat(49_000)],
    ['pairs of stars', '**a*b'.repeat(9_000)],
    ['open stars', `**${'a*'.repeat(24_000)}`],
    ['backticks', '`a'.repeat(24_000)],
    ['empty lines', '\n \n'.repeat(16_000)],
    ['items', '- - - 1. '.repeat(5_000)],
    ['lists', '- a\n'.repeat(12_000)],
    ['tags', '<b>'.repeat(16_000)],
  ])('of 49,000 characters of %s holds nobody up', async (_, findings) => {
    const target = await arena.target();
    await arena.survives(target, async () => {
      const body = { title: 'Long', question: '', findings, threads: false };
      const { status } = await arena.ask(arena.owner, 'POST', `/api/boards/${target.id}/publish`, { body });
      expect([200, 400]).toContain(status);
      return status;
    });
  });
});

describe('a figure', () => {
  test.each(HOSTILE)('with %j as a name has no tag of it', (hostile) => {
    const drawn = (name: string) => {
      const terms = [
        { name, value: 1, degree: 0 },
        { name: 'a0.h0', value: -0.5, degree: 1 },
      ];
      const answer = { view: 'flow', kind: 'identity', terms, metric: 2, foil: 1, tokens: [1, 2], tokenTexts: [name, name] };
      return figuresOf(answer as unknown as Answer).map(({ svg }) => tagsOf(svg));
    };
    expect(drawn(hostile)).toEqual(drawn('word'));
  });
});

describe('an answer of the API', () => {
  test('is JSON that no browser takes for a page, whatever is in it', async () => {
    const target = await arena.target();
    for (const hostile of HOSTILE) {
      const { headers, status } = await arena.ask(arena.owner, 'POST', `/api/boards/${target.id}/comments`, {
        body: { id: hostile, anchor: hostile, body: hostile },
      });
      expect(status).toBe(400);
      expect(headers['content-type']).toMatch(/^application\/json/);
      expect(headers['x-content-type-options']).toBe('nosniff');
    }
  });

  test('an address with a script in it is told back as JSON or as text without it', async () => {
    for (const path of [
      '/api/models/<script>alert(1)</script>/tokens',
      '/p/<script>alert(1)</script>',
      '/enter?token=<script>alert(1)</script>',
    ]) {
      const { text, headers } = await arena.ask(arena.owner, 'GET', encodeURI(path));
      expect(headers['content-type']?.includes('json') || !text.includes('<script>')).toBe(true);
    }
  });
});

/** A page of a board on which everything that somebody can write is this text. */
async function publishedWith(text: string, name: string) {
  const target = await arena.target(host);
  const board = `/api/boards/${target.id}`;
  setTitle(target.honest.doc, text);
  addLabel(target.honest.doc, 'input->a0.h0->logits', text, 3);
  await until(() => target.honest.persisted >= 4);
  const guest = await join(arena, null, board, 'commenter', host);
  await arena.ask(guest, 'PATCH', '/api/me', { body: { name } });
  const as = async (path: string, body: unknown, method = 'POST') => {
    const { status, json, text: told } = await arena.ask(guest, method, `${board}${path}`, { body });
    if (status !== 200) throw new Error(`${method} ${path}: expected 200, got ${status} ${told}`);
    return json as { id: string };
  };
  await as('/comments', { id: randomUUID(), anchor: 'input->logits', body: text });
  const claim = await as('/claims', { id: randomUUID(), anchor: null, text });
  await as(`/claims/${claim.id}/stance`, { stance: 'against', reason: text }, 'PUT');
  const run = await as('/runs', EFFECT);
  await as(`/claims/${claim.id}/evidence`, { id: randomUUID(), runIds: [run.id], predicate: 'effect("input->a0.h0->logits") < -0.5' });
  const page = { title: `Page ${text}`, question: text, findings: `${text}\n\n- **${text}**\n- ${text}`, threads: true };
  const published = await arena.ask(host, 'POST', `${board}/publish`, { body: page });
  if (published.status !== 200) throw new Error(`publish: expected 200, got ${published.status} ${published.text}`);
  target.honest.destroy();
  return arena.ask(null, 'GET', new URL((published.json as { url: string }).url).pathname);
}

/**
 * The tags of a document, each with the names of its attributes. Stricter than a browser: a `<` that does not begin a
 * tag with attributes in quotes is an error, so nothing that a browser might mend gets by.
 */
function tagsOf(html: string): string[] {
  const tags: string[] = [];
  let rest = html.replace(/^<!doctype html>/, '').replace(/<style>[^<]*<\/style>/g, '<style></style>');
  for (let at = rest.indexOf('<'); at >= 0; at = rest.indexOf('<')) {
    rest = rest.slice(at);
    const [tag, closing, name = '', attributes = ''] =
      /^<(\/?)([a-zA-Z][a-zA-Z0-9]*)((?:\s+[a-zA-Z][a-zA-Z0-9-]*(?:="[^"<>]*")?)*)\s*\/?>/.exec(rest) ?? [];
    if (tag === undefined) throw new Error(`page: expected a tag, got ${rest.slice(0, 80)}`);
    tags.push(
      `${closing}${name}`,
      ...[...attributes.matchAll(/\s([a-zA-Z][a-zA-Z0-9-]*)(?:="[^"]*")?/g)].map(([, attribute = '']) => attribute),
    );
    rest = rest.slice(tag.length);
  }
  return tags;
}
