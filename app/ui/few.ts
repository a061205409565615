/** A count with its noun. */
export const few = (count: number, one: string, more: string) => `${count} ${count === 1 ? one : more}`;
