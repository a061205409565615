import { partsOf, splitMentions } from '@/lib/board/mentions.ts';
import type { Author } from '@/lib/wire.ts';

/** As much of a Markdown tree as is needed here. */
interface MarkdownNode {
  type: string;
  value?: string;
  children?: MarkdownNode[];
  data?: { hName?: string; hProperties?: Record<string, unknown> };
}

interface Addressed {
  people: readonly Author[];
  /** ids of whoever reads */
  own: readonly string[];
}

/**
 * Names of paths, edges and heads in plain text become code, which is linked; people who are addressed stand out; HTML
 * is the text that somebody wrote.
 */
export function remarkNames({ people, own }: Addressed) {
  const visit = (node: MarkdownNode) => {
    if (!node.children) return;
    node.children = node.children.flatMap((child) => {
      if (child.type === 'html') return { type: 'text', value: child.value ?? '' };
      if (child.type === 'text') return split(child.value ?? '', { people, own });
      // A name inside a link leads where the link leads.
      if (child.type !== 'link') visit(child);
      return child;
    });
  };
  return (tree: unknown) => visit(tree as MarkdownNode);
}

function split(text: string, { people, own }: Addressed): MarkdownNode[] {
  return splitMentions(text, people).flatMap(({ text: part, person }): MarkdownNode[] => {
    if (person) {
      const data = { hName: 'span', hProperties: { className: own.includes(person.id) ? ['mention', 'self'] : ['mention'] } };
      return [{ type: 'mention', data, children: [{ type: 'text', value: part }] }];
    }
    return partsOf(part).map((one) => ({ type: one.kind === 'anchor' ? 'inlineCode' : 'text', value: one.text }));
  });
}
