'use client';
import { useImperativeHandle, useRef, type Ref } from 'react';
import type { RunAnswer } from '@/lib/engine/index.ts';
import { formatShare, formatSigned } from '@/lib/figures/numbers.ts';
import { isNameAnchor, readAnchor } from '@/lib/board/anchors.ts';
import { proposalsOf } from '@/lib/board/proposals.ts';
import type { TrieNode } from '@/lib/trie.ts';
import { Button } from '@/app/ui/button.tsx';
import { CopyButton } from '@/app/ui/copy-button.tsx';
import { KindBadge } from '@/app/ui/kind-badge.tsx';
import { Section } from '@/app/ui/section.tsx';
import { requestOf } from '@/app/ui/setup-request.ts';
import { strings } from '@/app/ui/strings.ts';
import { AnchorPanel } from './anchor-panel.tsx';
import { AttachControl } from './attach-control.tsx';
import { useAnchorTitles } from './anchor-title.ts';
import { useBoard } from './board-context.tsx';
import { ClaimsAbout } from './claims-about.tsx';
import { FeaturePanel } from './feature-panel.tsx';
import { FeatureSplit } from './feature-split.tsx';
import { FlowNumbers } from './flow-numbers.tsx';
import { LabelEditor } from './label-editor.tsx';
import { LabelList } from './label-list.tsx';
import { MechanismField } from './mechanism-field.tsx';
import { MechanismList } from './mechanism-list.tsx';
import { NodeActions } from './node-actions.tsx';
import { EdgeNumbers, NodeNumbers, PathUnits } from './node-numbers.tsx';
import { PathTest } from './path-test.tsx';
import { Pedigree } from './pedigree.tsx';
import { SourceTokens } from './source-tokens.tsx';
import { ThreadPanel } from './thread-panel.tsx';
import { TokenNumbers } from './token-numbers.tsx';
import type { Unravel } from './use-unravel.ts';

export interface InspectorHandle {
  show: () => void;
  focusLabel: () => void;
  focusComment: () => void;
  focusMechanism: () => void;
}

interface InspectorProps {
  ref: Ref<InspectorHandle>;
  selection: string | null;
  unravel: Unravel;
  /** Escape in a field goes back to the view */
  onLeave: () => void;
}

export function Inspector({ ref, selection, unravel, onLeave }: InspectorProps) {
  const label = useRef<HTMLInputElement>(null);
  const comment = useRef<HTMLTextAreaElement>(null);
  const mechanism = useRef<HTMLSelectElement>(null);
  const aside = useRef<HTMLElement>(null);
  useImperativeHandle(ref, () => ({
    show: () => {
      aside.current?.scrollIntoView();
      aside.current?.focus({ preventScroll: true });
    },
    focusLabel: () => label.current?.focus(),
    focusComment: () => comment.current?.focus(),
    focusMechanism: () => mechanism.current?.focus(),
  }));
  const anchor = selection === null ? null : readAnchor(selection);

  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- Escape in any of its fields
    <aside
      ref={aside}
      tabIndex={-1}
      aria-label={strings.inspector.label}
      onKeyDown={(event) => event.key === 'Escape' && onLeave()}
      className="relative min-w-0 border-line bg-ground max-lg:border-t lg:overflow-y-auto lg:border-l"
    >
      {selection === null ? (
        <>
          <p className="border-b border-line p-4 text-sm text-soft">{strings.inspector.empty}</p>
          <MechanismList />
          <LabelList />
        </>
      ) : (
        <div key={selection}>
          <Title anchor={selection} tokenTexts={unravel.answer?.tokenTexts} />
          {anchor?.kind === 'model' ? (
            <>
              <LabelEditor ref={label} anchor={selection} />
              <Numbers path={selection} node={unravel.trie?.get(selection) ?? null} answer={unravel.answer} />
              <MechanismField ref={mechanism} anchor={selection} />
              {unravel.trie?.get(selection) && selection.includes('->') ? <PathUnits path={selection} /> : null}
              <FeatureSplit anchor={selection} />
              <NodeActions anchor={selection} />
              <PathTest path={selection} answer={unravel.answer} />
              <ThreadPanel ref={comment} anchor={selection} title={strings.thread.title} />
              <ClaimsAbout anchor={selection} />
            </>
          ) : anchor?.kind === 'feature' ? (
            <FeaturePanel anchor={selection} read={anchor} label={label} comment={comment} />
          ) : (
            <>
              {anchor?.kind === 'token' ? <TokenNumbers position={anchor.position} unravel={unravel} /> : null}
              <AnchorPanel anchor={selection} label={label} comment={comment} />
            </>
          )}
        </div>
      )}
    </aside>
  );
}

function Title({ anchor, tokenTexts }: { anchor: string; tokenTexts: readonly string[] | undefined }) {
  const { select } = useBoard();
  const title = useAnchorTitles(tokenTexts)(anchor);
  const isName = isNameAnchor(anchor);
  return (
    <header className="sticky top-0 z-10 flex items-start justify-between gap-2 border-b border-line bg-ground px-3 py-2">
      <h2 className={`py-0.5 text-sm font-semibold ${isName ? 'name' : 'break-words'}`} data-testid="selected-path">
        {title}
      </h2>
      <span className="flex shrink-0">
        <CopyButton text={anchor} what={strings.inspector.name} />
        <LinkButton />
        <Button tone="quiet" small onClick={() => select(null)} aria-label={strings.inspector.deselect} title={strings.inspector.deselect}>
          ×
        </Button>
      </span>
    </header>
  );
}

/** Copies the address, which opens the same view and selection. */
function LinkButton() {
  return <CopyButton text={() => location.href} label={strings.inspector.link} what={strings.inspector.linkLong} />;
}

function Numbers({ path, node, answer }: { path: string; node: TrieNode | null; answer: RunAnswer | null }) {
  const { setup } = useBoard();
  if (!answer) return null;
  if (path.includes('@')) return <FlowNumbers place={path} />;
  if (!path.includes('->')) return <NodeNumbers node={path} />;
  if (!path.endsWith('->logits')) return path.split('->').length === 2 ? <EdgeNumbers edge={path} /> : null;
  if (!node) {
    return (
      <Section title={strings.inspector.value}>
        <p className="text-xs text-soft">{path.includes('<') ? strings.inspector.slotted : strings.inspector.notListed}</p>
      </Section>
    );
  }
  return (
    <Section title={node.open ? strings.inspector.suffixValue : strings.inspector.value}>
      <dl className="grid grid-cols-[1fr_auto_auto] items-center gap-x-2 text-sm">
        <dt className="flex items-center gap-2 text-soft">
          {strings.inspector.contribution} <KindBadge kind="identity" />
        </dt>
        <dd className="text-right font-mono" data-testid="selected-value">
          {formatSigned(node.value)}
        </dd>
        <dd>
          <CopyButton text={String(node.value)} what={strings.inspector.contribution} />
        </dd>
        <dt className="text-soft">{strings.inspector.share}</dt>
        <dd className="text-right font-mono">{formatShare(node.value, answer.metric)}</dd>
        <dd>
          <CopyButton text={String(node.value / answer.metric)} what={strings.inspector.share} />
        </dd>
        <dt className="text-soft">{strings.inspector.degree}</dt>
        <dd className="text-right font-mono">{node.open ? strings.inspector.degreeFrom(node.degree) : node.degree}</dd>
        <dd />
      </dl>
      <SourceTokens path={path} node={node} answer={answer} setup={setup} />
      <Pedigree answer={answer} />
      {node.parent ? (
        <AttachControl
          request={requestOf(setup, 'suffixes', { paths: [node.parent.name] })}
          anchor={path}
          predicates={(made) => proposalsOf(made, path)}
        />
      ) : null}
    </Section>
  );
}
