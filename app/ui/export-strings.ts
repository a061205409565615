export const exportStrings = {
  label: (what: string) => `Take away: ${what}`,
  link: 'link',
  linkLong: 'a link to this view as it is',
  text: 'copy',
  textLong: (what: string) => `${what} as text`,
  csv: 'CSV',
  svg: 'SVG',
  png: 'PNG',
  download: (what: string, format: string) => `Download ${what} as ${format}`,
  failed: 'The picture could not be made',
} as const;
