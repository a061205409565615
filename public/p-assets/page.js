// What a published page can do beyond being read: mark its numbers, sort its tables, light up a path. The page is whole
// without it.

const WORDS = {
  verify: 'Verify',
  again: 'Run again',
  running: (done, total, what) => `${done} of ${total}${what ? `: ${what}` : ''}`,
  waiting: 'Waiting for the server …',
  loading: 'Loading the model into this browser …',
  cancel: 'Cancel',
  onServer: 'Verify on the server',
  instead: (why) => `This browser could not: ${why} The server computes instead.`,
  notHere: 'it computes no WebAssembly.',
  silent: 'the page that computes did not answer.',
  broken: 'The connection broke before the report was there. Try again.',
  copy: 'Copy',
  copied: 'Copied',
  titles: { reproduced: 'reproduced', 'not-reproduced': 'not reproduced', 'not-recomputed': 'cannot be recomputed' },
  fresh: (number) => `the fresh run has ${number}`,
  sort: (name) => `Sort by ${name}`,
};
const SIGNS = { reproduced: '✓', 'not-reproduced': '✗', 'not-recomputed': '?' };

const section = document.getElementById('verify-section');
const form = section?.querySelector('form');
const button = document.getElementById('verify-button');
const progress = document.getElementById('verify-progress');
const report = document.getElementById('verify-report');

/** Beside every number of the page what came of it; what stands here is compared too. */
function mark({ parts }) {
  for (const old of document.querySelectorAll('.seal')) old.remove();
  const marks = new Map();
  const reasons = new Map();
  const wrong = new Set();
  for (const part of parts) {
    reasons.set(part.id, part);
    for (const number of part.numbers) {
      if (part.id === 'page') wrong.add(number.key);
      else marks.set(number.key, number);
    }
  }
  for (const element of document.querySelectorAll('[data-number]')) {
    const key = element.dataset.number;
    const part = reasons.get(key.split('|')[0]);
    if (!part) continue;
    const number = marks.get(key);
    const shown = Number(element.dataset.value);
    const differs = number && number.claimed !== null && Number.isFinite(shown) && shown !== number.claimed;
    seal(element, differs || wrong.has(key) ? 'not-reproduced' : (number?.mark ?? part.mark), number?.fresh ?? null);
  }
}

function seal(element, kind, fresh) {
  const sign = document.createElement('span');
  sign.className = `seal ${kind}`;
  sign.textContent = SIGNS[kind];
  sign.setAttribute('role', 'img');
  const told = kind === 'not-reproduced' && fresh !== null ? `${WORDS.titles[kind]}; ${WORDS.fresh(fresh)}` : WORDS.titles[kind];
  sign.setAttribute('aria-label', told);
  sign.title = told;
  element.after(sign);
}

/** Lines of JSON as they come. */
async function* linesOf(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    const lines = (rest + (value ?? '')).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line !== '') yield JSON.parse(line);
    if (done) return;
  }
}

/** A page that computes says something within this time, if only how far it is. */
const SILENCE_MS = 120_000;

/** In a frame of ours, which loads the model and says what came out. Resolves to null where it is cancelled. */
function computeHere() {
  const frame = document.createElement('iframe');
  frame.hidden = true;
  frame.title = WORDS.verify;
  frame.src = section.dataset.here;
  const cancel = document.createElement('button');
  cancel.type = 'button';
  cancel.className = 'second';
  cancel.textContent = WORDS.cancel;
  progress.textContent = WORDS.loading;
  button.after(' ', cancel);
  let clock = 0;
  const work = new Promise((resolve, reject) => {
    const wait = () => {
      clearTimeout(clock);
      clock = setTimeout(() => reject(new Error(WORDS.silent)), SILENCE_MS);
    };
    wait();
    cancel.addEventListener('click', () => resolve(null));
    // What could not be loaded is a document of another origin.
    frame.addEventListener('load', () => !frame.contentDocument && reject(new Error(WORDS.silent)));
    window.addEventListener('message', ({ source, origin, data }) => {
      if (source !== frame.contentWindow || origin !== location.origin) return;
      wait();
      if (data.type === 'progress') progress.textContent = WORDS.running(data.done, data.total, data.what);
      if (data.type === 'error') reject(new Error(data.error.message));
      if (data.type === 'report') resolve(data);
    });
  });
  document.body.append(frame);
  return work.finally(() => {
    clearTimeout(clock);
    frame.remove();
    cancel.remove();
  });
}

async function verifyHere() {
  button.disabled = true;
  section.setAttribute('aria-busy', 'true');
  try {
    if (typeof WebAssembly === 'undefined' || typeof Worker === 'undefined') throw new Error(WORDS.notHere);
    const found = await computeHere();
    progress.textContent = '';
    if (!found) return;
    report.innerHTML = found.html;
    mark(found.report);
  } catch (error) {
    await verify(false, WORDS.instead(error.message));
  } finally {
    button.disabled = false;
    section.removeAttribute('aria-busy');
  }
}

async function verify(again, why = '') {
  button.disabled = true;
  section.setAttribute('aria-busy', 'true');
  const say = (line) => (progress.textContent = why === '' ? line : `${why} ${line}`);
  say(WORDS.waiting);
  try {
    const url = section.dataset.verify + (again ? '?again=1' : '');
    const response = await fetch(url, { method: 'POST', headers: { accept: 'application/x-ndjson' } });
    if (!response.ok) throw new Error((await response.json()).error.message);
    let ended = false;
    for await (const event of linesOf(response)) {
      if (event.type === 'progress') say(WORDS.running(event.done, event.total, event.what));
      if (event.type === 'error') throw new Error(event.error.message);
      if (event.type !== 'report') continue;
      ended = true;
      report.innerHTML = event.html;
      mark(event.report);
    }
    if (!ended) throw new Error(WORDS.broken);
    progress.textContent = why;
    await offerAgain();
  } catch (error) {
    progress.textContent = error instanceof TypeError ? WORDS.broken : error.message;
  } finally {
    button.disabled = false;
    section.removeAttribute('aria-busy');
  }
}

/** Only who is signed in may be somebody who may. */
async function offerAgain() {
  if (document.getElementById('verify-again')) return;
  const response = await fetch('/api/me').catch(() => null);
  const me = response?.ok ? await response.json() : null;
  if (!me?.person) return;
  const more = document.createElement('button');
  more.type = 'button';
  more.id = 'verify-again';
  more.textContent = WORDS.again;
  more.addEventListener('click', () => verify(true));
  button.after(' ', more);
}

form?.addEventListener('submit', (event) => {
  event.preventDefault();
  if (section.dataset.here) verifyHere();
  else verify(false);
});

if (form && section.dataset.here) {
  button.textContent = WORDS.verify;
  const server = document.createElement('button');
  server.type = 'button';
  server.className = 'second';
  server.textContent = WORDS.onServer;
  server.addEventListener('click', () => verify(false));
  button.after(' ', server);
}

/** A report that is there already marks the numbers at once. */
async function markStored() {
  if (!report?.querySelector('[data-outcome]')) return;
  const response = await fetch(section.dataset.verify).catch(() => null);
  if (!response?.ok) return;
  mark((await response.json()).report);
  await offerAgain();
}
markStored();

function edgesOf(path) {
  const stops = path.split('->');
  return stops.slice(1).map((stop, index) => `${stops[index].replace(/<[qkv]>$/, '')}->${stop.replace(/<[qkv]>$/, '')}`);
}

/** A path lights up in every table and figure that has it or its edges. */
function light(path) {
  const edges = path === null ? null : new Set(edgesOf(path));
  const nodes = path === null ? null : new Set(path.split('->').map((stop) => stop.replace(/<[qkv]>$/, '')));
  for (const row of document.querySelectorAll('tr[data-path]')) row.classList.toggle('lit', path !== null && row.dataset.path === path);
  const drawn = document.querySelectorAll('svg [data-edge]');
  const has = edges !== null && [...drawn].some((edge) => edges.has(edge.dataset.edge));
  for (const edge of drawn) edge.classList.toggle('dim', has && !edges.has(edge.dataset.edge));
  for (const node of document.querySelectorAll('svg [data-node]')) node.classList.toggle('dim', has && !nodes.has(node.dataset.node));
  lightTokens(path);
}

let patterns = null;

/** Where the last head on the path looks from the position whose logits are read, where the page has its pattern. */
async function lightTokens(path) {
  const tokens = [...document.querySelectorAll('.tokens li')];
  for (const token of tokens) token.style.removeProperty('box-shadow');
  if (path === null || tokens.length === 0) return;
  patterns ??= fetch(section.dataset.verify.replace(/verify$/, 'snapshot.json'))
    .then((response) => (response.ok ? response.json() : null))
    .then((snapshot) => snapshot && { position: snapshot.partition.position, terms: snapshot.heads?.terms ?? [] })
    .catch(() => null);
  const known = await patterns;
  if (lit !== path || !known) return;
  const heads = path.split('->').filter((stop) => /^a\d+\.h\d+/.test(stop));
  const last = heads.at(-1)?.replace(/<[qkv]>$/, '');
  const row = known.terms.find(({ name }) => name === last)?.pattern?.[known.position];
  row?.forEach((weight, index) => {
    if (weight > 0.02) tokens[index]?.style.setProperty('box-shadow', `inset 0 -${Math.max(2, Math.round(weight * 14))}px var(--positive)`);
  });
}

let lit = null;
for (const element of document.querySelectorAll('tr[data-path], svg [data-edge]')) {
  const path = element.dataset.path ?? element.dataset.edge;
  const on = () => {
    lit = path;
    light(path);
  };
  const off = () => {
    lit = null;
    light(null);
  };
  element.addEventListener('pointerenter', on);
  element.addEventListener('pointerleave', off);
  if (element.tagName !== 'TR') continue;
  element.tabIndex = 0;
  element.addEventListener('focus', on);
  element.addEventListener('blur', off);
}

/** Of the number in a cell, or its text. */
function keyOf(row, column) {
  const cell = row.cells[column];
  const number = cell?.querySelector('[data-value]')?.dataset.value;
  if (number !== undefined) return Number(number);
  const text = cell?.textContent.trim() ?? '';
  const plain = Number(text.replace('−', '-').replace('%', ''));
  return text !== '' && Number.isFinite(plain) ? plain : text;
}

function sort(table, column, header) {
  const descending = header.getAttribute('aria-sort') !== 'descending';
  for (const other of table.tHead.rows[0].cells) other.removeAttribute('aria-sort');
  header.setAttribute('aria-sort', descending ? 'descending' : 'ascending');
  const body = table.tBodies[0];
  const compare = (a, b) => (typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b), 'en'));
  // What stands for all the others stays last.
  const rows = [...body.rows];
  const named = rows.filter((row) => row.dataset.path !== undefined || table.dataset.table === 'heads');
  named.sort((a, b) => (descending ? -1 : 1) * compare(keyOf(a, column), keyOf(b, column)));
  body.append(...named, ...rows.filter((row) => !named.includes(row)));
}

for (const table of document.querySelectorAll('table[data-table]')) {
  [...table.tHead.rows[0].cells].forEach((header, column) => {
    if (header.querySelector('.sides-of-zero')) return;
    const name = header.textContent;
    const sorter = document.createElement('button');
    sorter.type = 'button';
    sorter.className = 'sorter';
    sorter.textContent = name;
    sorter.title = WORDS.sort(name);
    sorter.addEventListener('click', () => sort(table, column, header));
    header.replaceChildren(sorter);
  });
}

for (const text of document.querySelectorAll('pre[data-copy]')) {
  const copy = document.createElement('button');
  copy.type = 'button';
  copy.className = 'copy';
  copy.textContent = WORDS.copy;
  copy.setAttribute('aria-label', `${WORDS.copy}: ${text.getAttribute('aria-label')}`);
  copy.addEventListener('click', async () => {
    await navigator.clipboard.writeText(text.textContent);
    copy.textContent = WORDS.copied;
    setTimeout(() => (copy.textContent = WORDS.copy), 2000);
  });
  text.before(copy);
}
