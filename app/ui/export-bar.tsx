'use client';
import { useState } from 'react';
import { Button } from './button.tsx';
import { CopyButton } from './copy-button.tsx';
import { download } from './download.ts';
import { pngOf } from './png.ts';
import { lineOf } from './request.ts';
import { strings } from './strings.ts';

interface ExportBarProps {
  /** names what is exported, such as `Degrees` */
  what: string;
  /** of files, without an ending */
  file: string;
  /** tab-separated, numbers at full precision */
  text?: () => string;
  csv?: () => string;
  /** an SVG document with a title, axis labels and a text alternative */
  svg?: () => string;
}

/** What every view can be taken away as. The address is the state, so the link opens the view as it is. */
export function ExportBar({ what, file, text, csv, svg }: ExportBarProps) {
  const [error, setError] = useState<string | null>(null);
  const words = strings.exports;

  const savePng = (source: string) =>
    pngOf(source).then(
      (png) => {
        setError(null);
        download(png, `${file}.png`, 'image/png');
      },
      (cause: unknown) => setError(lineOf(cause)),
    );

  return (
    <span role="group" aria-label={words.label(what)} className="flex flex-wrap items-center">
      <CopyButton text={() => location.href} label={words.link} what={words.linkLong} />
      {text ? <CopyButton text={text} label={words.text} what={words.textLong(what)} /> : null}
      {csv ? <Save format={words.csv} what={what} onSave={() => download(csv(), `${file}.csv`, 'text/csv')} /> : null}
      {svg ? <Save format={words.svg} what={what} onSave={() => download(svg(), `${file}.svg`, 'image/svg+xml')} /> : null}
      {svg ? <Save format={words.png} what={what} onSave={() => void savePng(svg())} /> : null}
      {error === null ? null : (
        <span role="alert" className="text-xs text-fault">
          {words.failed}: {error}
        </span>
      )}
    </span>
  );
}

function Save({ format, what, onSave }: { format: string; what: string; onSave: () => void }) {
  return (
    <Button tone="quiet" small onClick={onSave} aria-label={strings.exports.download(what, format)}>
      {format}
    </Button>
  );
}
