import { isAnchor } from '../board/anchors.ts';
import type { Claim, Comment, Label, Thread } from '../board/records.ts';
import { EngineError } from '../engine/index.ts';

/** W3C Web Annotation (JSON-LD): labels, comments and claims, each on an anchor of the board. */

const CONTEXT = [
  'http://www.w3.org/ns/anno.jsonld',
  { PathboardAnchorSelector: 'urn:pathboard:anchor-selector', model: 'urn:pathboard:model' },
] as const;
const SELECTOR = 'PathboardAnchorSelector';
/** Of all annotations in a file that is read. */
const MOST = 10_000;

export interface AnnotationSource {
  /** address of the board or the page */
  source: string;
  model: { name: string; hash: string };
  labels: readonly Label[];
  threads: readonly { thread: Thread; comments: readonly Comment[] }[];
  claims: readonly Claim[];
  /** what an anchor is called where people read it */
  titleOf: (anchor: string) => string;
}

export interface Annotation {
  id: string;
  type: 'Annotation';
  motivation: string;
  created?: string;
  modified?: string;
  creator?: { type: 'Person'; name: string };
  body: { type: 'TextualBody'; value: string; format: string; purpose?: string }[];
  target: { source: string; selector: Record<string, string>[] };
}

export interface AnnotationPage {
  '@context': unknown;
  id: string;
  type: 'AnnotationPage';
  model: { name: string; hash: string };
  items: Annotation[];
}

export function writeAnnotations(given: AnnotationSource): AnnotationPage {
  const { source, model, labels, threads, claims } = given;
  const targetOf = (anchor: string | null): Annotation['target'] => ({
    source,
    selector:
      anchor === null
        ? []
        : [
            { type: SELECTOR, value: anchor },
            { type: 'TextQuoteSelector', exact: given.titleOf(anchor) },
          ],
  });
  const items: Annotation[] = [
    ...labels.map((label): Annotation => ({
      ...head('label', label.id, label.createdAt),
      motivation: 'tagging',
      body: [{ type: 'TextualBody', value: label.text, format: 'text/plain', purpose: 'tagging' }],
      target: targetOf(label.anchor),
    })),
    ...threads.flatMap(({ thread, comments }) =>
      comments.map((comment): Annotation => ({
        ...head('comment', comment.id, comment.createdAt),
        ...(comment.editedAt !== null && { modified: new Date(comment.editedAt).toISOString() }),
        motivation: 'commenting',
        creator: { type: 'Person', name: comment.author.name },
        body: [{ type: 'TextualBody', value: comment.body, format: 'text/markdown' }],
        target: targetOf(thread.anchor),
      })),
    ),
    ...claims.map((claim): Annotation => ({
      ...head('claim', claim.id, claim.createdAt),
      motivation: 'assessing',
      creator: { type: 'Person', name: claim.author.name },
      body: [{ type: 'TextualBody', value: claim.text, format: 'text/plain' }],
      target: targetOf(claim.anchor),
    })),
  ];
  return { '@context': CONTEXT, id: `${source}#annotations`, type: 'AnnotationPage', model, items };
}

function head(kind: string, id: string, createdAt: number): Pick<Annotation, 'id' | 'type' | 'created'> {
  return { id: `urn:pathboard:${kind}:${id}`, type: 'Annotation', created: new Date(createdAt).toISOString() };
}

/** What of an annotation can stand on a board. */
export interface ReadAnnotation {
  id: string;
  kind: 'label' | 'comment';
  anchor: string;
  text: string;
  /** who wrote it elsewhere, as the file says */
  creator: string | null;
  source: string;
}

export interface ReadAnnotations {
  items: ReadAnnotation[];
  /** annotations that hang on nothing a board has, and why */
  left: { id: string; why: string }[];
}

/** A page, a collection with its first page in it, a list, or a single annotation. @throws EngineError where it is none of them */
export function readAnnotations(value: unknown): ReadAnnotations {
  const all = listOf(value);
  if (all.length > MOST) throw wrong('items', `at most ${MOST}`, all.length);
  const items: ReadAnnotation[] = [];
  const left: ReadAnnotations['left'] = [];
  all.forEach((item, index) => {
    const read = readOne(item, index);
    if ('why' in read) left.push(read);
    else items.push(read);
  });
  return { items, left };
}

/** What somebody brings in is a comment of theirs, which says first of all where it comes from. */
export function broughtIn({ by, source, creator, text }: { by: string; source: string; creator: string | null; text: string }): string {
  const from = source.replaceAll(/\s+/g, ' ').slice(0, 300);
  const said = creator === null ? '' : `, written there under the name ${creator.replaceAll(/[@`\s]+/g, ' ').slice(0, 100)}`;
  return `*Imported by ${by} from ${from}${said}:*\n\n${text}`;
}

/** The same where nobody may learn whose it was: the line that {@link broughtIn} wrote names people. */
export function withoutOrigin(body: string): string {
  return body.replace(/^\*Imported by [^\n]*:\*(?=\n\n)/, '*Imported from elsewhere:*');
}

function listOf(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  if (!isObject(value)) throw wrong('file', 'an AnnotationPage, a collection, a list or an annotation', value);
  if (value['type'] === 'Annotation') return [value];
  if (Array.isArray(value['items'])) return value['items'];
  if (isObject(value['first']) && Array.isArray(value['first']['items'])) return value['first']['items'];
  throw wrong('file', 'an AnnotationPage, a collection, a list or an annotation', value['type']);
}

function readOne(item: unknown, index: number): ReadAnnotation | { id: string; why: string } {
  if (!isObject(item)) throw wrong(`items[${index}]`, 'an annotation', item);
  const id = typeof item['id'] === 'string' ? item['id'] : `items[${index}]`;
  const text = bodyOf(item['body'] ?? item['bodyValue']);
  if (text === null) return { id, why: 'it has no text' };
  const targets = asList(item['target']).filter(isObject);
  const selectors = targets.flatMap((target) => asList(target['selector'])).filter(isObject);
  const anchors = [
    ...selectors.filter(({ type }) => type === SELECTOR).map(({ value }) => value),
    // The words that it quotes may be a name.
    ...selectors.filter(({ type }) => type === 'TextQuoteSelector').map(({ exact }) => exact),
  ];
  const anchor = anchors.find((one): one is string => typeof one === 'string' && isAnchor(one));
  if (anchor === undefined) return { id, why: 'its target is no path, edge, node or token' };
  const kind = asList(item['motivation']).includes('tagging') ? 'label' : 'comment';
  const source = targets.map((target) => target['source']).find((one): one is string => typeof one === 'string') ?? id;
  return { id, kind, anchor, text, creator: creatorOf(item['creator']), source };
}

function bodyOf(body: unknown): string | null {
  if (typeof body === 'string') return body.trim() || null;
  const texts = asList(body).flatMap((one) =>
    isObject(one) && typeof one['value'] === 'string' ? [one['value']] : typeof one === 'string' ? [one] : [],
  );
  return texts.join('\n\n').trim() || null;
}

function creatorOf(creator: unknown): string | null {
  const [first] = asList(creator);
  if (typeof first === 'string') return first;
  return isObject(first) && typeof first['name'] === 'string' ? first['name'] : null;
}

function asList(value: unknown): unknown[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function wrong(where: string, expected: string, got: unknown): EngineError {
  return new EngineError('bad-request', `annotations: ${where}`, expected, (JSON.stringify(got) ?? 'nothing').slice(0, 200));
}
