'use client';
import { useEffect, useState, type ReactNode } from 'react';
import Markdown, { type Components, type Options } from 'react-markdown';
import rehypeSanitize, { defaultSchema } from 'rehype-sanitize';
import { isNameAnchor } from '@/lib/board/anchors.ts';
import type { Author } from '@/lib/wire.ts';
import { AnchorName } from './anchor-name.tsx';
import { useBoard } from './board-context.tsx';
import { remarkNames } from './remark-names.ts';

/** What a comment may become; whatever else somebody writes stays text, or is left out. */
const SCHEMA: typeof defaultSchema = {
  ...defaultSchema,
  tagNames: [
    'p',
    'br',
    'em',
    'strong',
    'del',
    'code',
    'pre',
    'ul',
    'ol',
    'li',
    'blockquote',
    'a',
    'hr',
    'span',
    'h1',
    'h2',
    'h3',
    'h4',
    'h5',
    'h6',
  ],
  attributes: {
    a: ['href', 'title'],
    ol: ['start'],
    code: [['className', 'language-math', 'math-inline', 'math-display']],
    span: [['className', 'mention', 'self']],
  },
  protocols: { href: ['http', 'https', 'mailto'] },
};

interface MathPlugins {
  remark: NonNullable<Options['remarkPlugins']>;
  rehype: NonNullable<Options['rehypePlugins']>;
}

/** Two dollars make a formula possible; only then is what draws it loaded. */
const HAS_MATH = /\$[\s\S]*\$/;
let math: Promise<MathPlugins> | null = null;

function useMath(body: string): MathPlugins | null {
  const [plugins, setPlugins] = useState<MathPlugins | null>(null);
  const wanted = HAS_MATH.test(body);
  useEffect(() => {
    if (!wanted) return;
    let current = true;
    math ??= import('./comment-math.ts').then((module) => module.mathPlugins);
    math.then(
      (loaded) => current && setPlugins(loaded),
      // Without a connection formulas stay as they are written, until the next comment asks again.
      () => (math = null),
    );
    return () => {
      current = false;
    };
  }, [wanted]);
  return wanted ? plugins : null;
}

/** A comment as its author meant it: Markdown, formulas, names that light up, people who are addressed. */
export function CommentMarkdown({ body, mentions }: { body: string; mentions: readonly Author[] }) {
  const { ids } = useBoard();
  const plugins = useMath(body);
  return (
    <div className="comment text-sm break-words">
      {draw(body, {
        remarkPlugins: [...(plugins?.remark ?? []), [remarkNames, { people: mentions, own: ids }]],
        // Formulas are drawn of what is left after cleaning, by a library that makes no links and loads nothing.
        rehypePlugins: [[rehypeSanitize, SCHEMA], ...(plugins?.rehype ?? [])],
        components: COMPONENTS,
      })}
    </div>
  );
}

/** Quotes and lists in each other that one line opens; Markdown takes minutes for thousands. */
const NESTED = 40;
const OPENING = /^(?:[ \t]*(?:>|(?:[-+*]|\d{1,9}[.)])(?=[ \t])))+/;

/** What opens or closes emphasis and links: Markdown takes seconds, then minutes, for thousands. */
const MARKS = 600;
const MARK = /[*_]+|\[|\]/g;

function isNestedDeep(body: string): boolean {
  if ((body.match(MARK)?.length ?? 0) > MARKS) return true;
  return body.split('\n').some((line) => (OPENING.exec(line)?.[0].match(/>|[-+*]|\d+/g)?.length ?? 0) > NESTED);
}

/** Called, not rendered: what is nested too deep is shown as it was written, and takes the board from nobody. */
function draw(body: string, options: Options): ReactNode {
  const written = <p className="whitespace-pre-wrap">{body}</p>;
  if (isNestedDeep(body)) return written;
  try {
    return Markdown({ ...options, children: body });
  } catch (error) {
    // Emphasis in emphasis, deeper than the stack.
    if (error instanceof RangeError) return written;
    throw error;
  }
}

const Heading: Components['h1'] = ({ children }) => (
  <p>
    <strong>{children}</strong>
  </p>
);

const COMPONENTS: Components = {
  h1: Heading,
  h2: Heading,
  h3: Heading,
  h4: Heading,
  h5: Heading,
  h6: Heading,
  a: ({ href, children }) => (
    <a href={href} target="_blank" rel="noopener noreferrer nofollow">
      {children}
    </a>
  ),
  code: ({ children, className }) => {
    const text = String(children);
    if (className === undefined && isNameAnchor(text)) return <AnchorName name={text} />;
    return <code>{children}</code>;
  },
  span: ({ children, className, style }) =>
    className?.startsWith('mention') ? (
      <b data-mention={className === 'mention self' ? 'self' : 'other'}>{children}</b>
    ) : (
      <span className={className} style={style}>
        {children}
      </span>
    ),
};
