'use client';
import { useState, type FormEvent } from 'react';
import { readAnchor } from '@/lib/board/anchors.ts';
import { readClaims } from '@/lib/board/discussion-doc.ts';
import type { z } from 'zod';
import type { Claim, Evidence, newEvidence } from '@/lib/wire.ts';
import { Button } from '@/app/ui/button.tsx';
import { Field } from '@/app/ui/field.tsx';
import { lineOf, request } from '@/app/ui/request.ts';
import { strings } from '@/app/ui/strings.ts';
import { useBoard } from './board-context.tsx';
import { PredicateField, predicateFault } from './predicate-field.tsx';
import { useLive } from './use-live.ts';

interface AttachFormProps {
  runIds: string[];
  anchor: string | null;
  /** that fit the runs, the most likely one first */
  predicates: readonly string[];
  onDone: () => void;
}

const NEW = 'new';

/** Ties a run to a claim by a predicate; the claim may be made on the spot. */
export function AttachForm({ runIds, anchor, predicates, onDone }: AttachFormProps) {
  const { boardId, session } = useBoard();
  const claims = useLive(session.discussionDoc, readClaims).records;
  const [claimId, setClaimId] = useState(claims.find((claim) => claim.anchor === anchor)?.id ?? NEW);
  const [text, setText] = useState('');
  const [predicate, setPredicate] = useState(predicates[0] ?? '');
  const [fault, setFault] = useState<{ field: 'text' | 'predicate'; line: string } | null>(null);
  const [busy, setBusy] = useState(false);

  const attach = async (event: FormEvent) => {
    event.preventDefault();
    if (predicateFault(predicate) !== null) return;
    setBusy(true);
    const fail = (field: 'text' | 'predicate') => (error: unknown) => setFault({ field, line: lineOf(error) ?? '' });
    const claim = claimId === NEW ? await createClaim(boardId, anchor, text).catch(fail('text')) : { id: claimId };
    const evidence = claim && (await attachEvidence(boardId, claim.id, runIds, predicate, groupOf(anchor)).catch(fail('predicate')));
    if (claim) setClaimId(claim.id);
    setBusy(false);
    if (evidence) onDone();
  };

  return (
    <form onSubmit={attach} aria-label={strings.attach.button} className="mt-2 grid gap-2 border-t border-line pt-2">
      <Field label={strings.attach.claim}>
        {(control) => (
          <select {...control} value={claimId} onChange={(event) => setClaimId(event.target.value)} className="field text-sm">
            <option value={NEW}>{strings.attach.newClaim}</option>
            {claims.map((claim) => (
              <option key={claim.id} value={claim.id}>
                {claim.text}
              </option>
            ))}
          </select>
        )}
      </Field>
      {claimId === NEW ? (
        <Field label={strings.claims.sentence} error={fault?.field === 'text' ? fault.line : null}>
          {(control) => (
            <textarea
              {...control}
              rows={2}
              maxLength={500}
              required
              value={text}
              placeholder={strings.claims.placeholder}
              onChange={(event) => setText(event.target.value)}
              className="field text-sm"
            />
          )}
        </Field>
      ) : null}
      <PredicateField
        value={predicate}
        onChange={setPredicate}
        proposed={predicates}
        error={fault?.field === 'predicate' ? fault.line : null}
      />
      <div className="flex gap-2">
        <Button type="submit" small tone="main" disabled={busy || predicateFault(predicate) !== null}>
          {strings.attach.submit}
        </Button>
        <Button small onClick={onDone}>
          {strings.common.cancel}
        </Button>
      </div>
    </form>
  );
}

/** Evidence that was made about a mechanism says so, whatever claim it is attached to. */
function groupOf(anchor: string | null): { group?: string } {
  const read = anchor === null ? null : readAnchor(anchor);
  return read?.kind === 'group' ? { group: read.id } : {};
}

export function createClaim(boardId: string, anchor: string | null, text: string): Promise<Claim> {
  return request<Claim>(`/api/boards/${boardId}/claims`, { method: 'POST', body: { id: crypto.randomUUID(), anchor, text } });
}

export function attachEvidence(
  boardId: string,
  claimId: string,
  runIds: string[],
  predicate: string,
  more: Pick<z.infer<typeof newEvidence>, 'beside' | 'note' | 'group'> = {},
): Promise<Evidence> {
  const body = { id: crypto.randomUUID(), runIds, predicate, ...more };
  return request<Evidence>(`/api/boards/${boardId}/claims/${claimId}/evidence`, { method: 'POST', body });
}
