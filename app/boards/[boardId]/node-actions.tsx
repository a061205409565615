'use client';
import { isComponent, parseNode, parsePath, printNode, withoutPositions, type Node } from '@/lib/engine/index.ts';
import { Button } from '@/app/ui/button.tsx';
import { Section } from '@/app/ui/section.tsx';
import { strings } from '@/app/ui/strings.ts';
import { analysisOf, type AnalysisView } from './analyses.ts';
import { defaultsOf, writes, type FormValues } from './analysis-form.ts';
import { useBoard } from './board-context.tsx';

/** From what is selected to the analyses of its nodes, filled in. */
export function NodeActions({ anchor }: { anchor: string }) {
  const { setup, analyses } = useBoard();
  const nodes = nodesOf(anchor);
  const components = nodes.filter(isComponent).map(printNode);
  const isEdge = nodes.length === 2 && writes(nodes[0]!);
  const isWhole = nodes.at(-1)?.kind === 'logits' && nodes.length > 1 && !isComponent(nodes[0]!) && !anchor.includes('<');
  if (components.length === 0 && !isEdge) return null;

  const open = (view: AnalysisView, changes: Partial<FormValues>) =>
    analyses.open(view, { ...defaultsOf(analysisOf(view), setup, withoutPositions(anchor)), ...changes });

  return (
    <Section title={strings.analyses.actions.title}>
      <ul className="grid gap-1.5">
        {isEdge ? (
          <li>
            <Button small onClick={() => open('edge-patch', {})}>
              {strings.analyses.actions.patch}
            </Button>
          </li>
        ) : null}
        {[...new Set(components)].map((node) => (
          <li key={node} className="flex flex-wrap gap-1.5">
            {isWhole ? (
              <Button small onClick={() => open('units', { nodes: node })}>
                {strings.analyses.actions.open(node)}
              </Button>
            ) : null}
            <Button small onClick={() => open('ablate', { ablate: node })}>
              {strings.analyses.actions.ablate(node)}
            </Button>
            <Button small onClick={() => open('repair', { ablate: node })}>
              {strings.analyses.actions.repair(node)}
            </Button>
          </li>
        ))}
      </ul>
    </Section>
  );
}

function nodesOf(name: string): Node[] {
  const anchor = withoutPositions(name);
  return anchor.includes('->') ? parsePath(anchor).map(({ node }) => node) : [parseNode(anchor)];
}
