/** The board with something selected. */
export function boardAddress(boardId: string, anchor: string): string {
  return `/boards/${boardId}?${new URLSearchParams({ select: anchor })}`;
}
