import type { BoardSummary } from '@/lib/wire.ts';
import type { Command } from './commands.ts';
import { request } from './request.ts';
import { strings } from './strings.ts';
import { THEMES } from './theme.ts';
import { setTheme } from './use-theme.ts';

const LISTED = 100;

const to = (id: string, title: string, group: string, address: string): Command => ({
  id,
  title,
  group,
  run: () => location.assign(address),
});

/** Pages that everybody has. */
export function pages(): Command[] {
  const { groups, start, models, account } = strings.commands;
  return [
    to('page:start', start, groups.pages, '/'),
    to('page:models', models, groups.pages, '/models'),
    to('page:account', account, groups.pages, '/account'),
  ];
}

/** The person's boards, the latest first. */
export async function boards(): Promise<Command[]> {
  const list = await request<BoardSummary[]>('/api/boards');
  return list.slice(0, LISTED).map(({ id, title, prompt, model }) => ({
    ...to(`board:${id}`, title || prompt, strings.commands.groups.boards, `/boards/${id}`),
    words: `${prompt} ${model}`,
  }));
}

export function colours(): Command[] {
  return THEMES.map((theme) => ({
    id: `colours:${theme}`,
    title: strings.commands.colours(strings.theme[theme]),
    group: strings.commands.groups.page,
    run: () => setTheme(theme),
  }));
}
