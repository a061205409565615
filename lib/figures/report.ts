import type { Mark, PartReport, Report } from '../verify.ts';
import { type Markup, markup } from './markup.ts';
import { formatError, formatTime } from './numbers.ts';

export interface StoredReport {
  report: Report;
  createdAt: number;
}

const MARKS: Record<Mark, string> = {
  reproduced: 'reproduced',
  'not-reproduced': 'not reproduced',
  'not-recomputed': 'cannot be recomputed',
};

/** The report as published pages show it. `where`: words for the place, where it is not the server. */
export function reportOf({ report, createdAt, where = null }: StoredReport & { where?: string | null }): Markup {
  const { parts, backend, engineVersion } = report;
  const count = (mark: Mark) => parts.filter((part) => part.mark === mark).length;
  const told = (['reproduced', 'not-reproduced', 'not-recomputed'] as const)
    .filter((mark) => count(mark) > 0)
    .map((mark) => `${count(mark)} ${MARKS[mark]}`);
  const on = backend === null ? '' : ` with engine ${engineVersion ?? ''} on ${backend.engine} ${backend.provider} ${backend.dtype}`;
  const place = where === null ? '' : ` ${where}`;
  return markup`<p class="small"><strong data-outcome="${report.mark}">${report.mark === 'reproduced' ? 'Everything is reproduced' : `Of ${parts.length} parts: ${told.join(', ')}`}</strong>, ${formatTime(createdAt)}${place}${on}.</p>
<div class="scroll" tabindex="0" role="region" aria-label="Report"><table class="report"><thead><tr><th scope="col">Part</th><th scope="col">Mark</th><th scope="col" class="number">Numbers</th><th scope="col" class="number">Largest difference</th><th scope="col" class="number">Tolerance</th></tr></thead>
<tbody>${parts.map(partRow)}</tbody></table></div>
<p class="small soft">Tolerance: ${TOLERANCE} of the largest number of the same column, 1e−3 of what a predicate compared; the error of an identity must be below 1e−5 of the sum of its terms’ sizes.</p>`;
}

const TOLERANCE = '1e−4';

function partRow(part: PartReport): Markup {
  const { id, title, mark, why, compared, difference, tolerance } = part;
  const number = (value: number | null) => (value === null ? '–' : formatError(value));
  return markup`<tr data-part="${id}" data-mark="${mark}"><th scope="row">${id.startsWith('evidence:') ? markup`<code>${title}</code>` : title}${why !== null && markup`<br><span class="soft why">${why}</span>`}</th><td><span class="mark ${mark}">${MARKS[mark]}</span></td><td class="number">${compared}</td><td class="number">${number(difference)}</td><td class="number">${number(tolerance)}</td></tr>`;
}
