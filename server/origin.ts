/** How a server is addressed over plain HTTP. */
export function originOf(host: string, port: number): string {
  const name = host.includes(':') ? `[${host.replaceAll(/[[\]]/g, '')}]` : host;
  return `http://${name}${port === 80 ? '' : `:${port}`}`;
}
