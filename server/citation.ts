export interface Cited {
  slug: string;
  version: number;
  title: string;
  authors: readonly string[];
  /** epoch ms */
  publishedAt: number;
  url: string;
}

/** As it stands in a list of references. */
export function citationOf({ authors, title, version, publishedAt, url }: Cited): string {
  return `${authors.join(', ')}. ${title}${/[.!?]$/.test(title) ? '' : '.'} Pathboard, version ${version}, ${dateOf(publishedAt)}. ${url}`;
}

export function bibtexOf({ slug, version, title, authors, publishedAt, url }: Cited): string {
  const date = dateOf(publishedAt);
  const fields: [string, string][] = [
    ['author', authors.map((name) => `{${escaped(name)}}`).join(' and ')],
    ['title', `{${escaped(title)}}`],
    ['year', date.slice(0, 4)],
    ['month', String(Number(date.slice(5, 7)))],
    ['howpublished', `Pathboard, version ${version}`],
    ['url', url],
  ];
  return `@misc{${slug}-v${version},\n${fields.map(([name, value]) => `  ${name} = {${value}},\n`).join('')}}\n`;
}

const SPECIAL: Record<string, string> = {
  '\\': '\\textbackslash{}',
  '~': '\\textasciitilde{}',
  '^': '\\textasciicircum{}',
};

/** What TeX would take for a command or a brace of ours. */
function escaped(text: string): string {
  return text.replaceAll(/[\\~^]|[{}$&#%_]/g, (sign) => SPECIAL[sign] ?? `\\${sign}`).replaceAll(/\s+/g, ' ');
}

function dateOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}
