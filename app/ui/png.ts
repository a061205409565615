/** A PNG of an SVG document, at twice its size, on the page's paper. Custom properties are those of the page as it is shown. */
export async function pngOf(svg: string): Promise<Blob> {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(withColours(svg))}`;
  await image.decode();
  const canvas = document.createElement('canvas');
  canvas.width = SCALE * image.naturalWidth;
  canvas.height = SCALE * image.naturalHeight;
  const context = canvas.getContext('2d');
  if (!context) throw new Error('PNG: expected a canvas to draw on, got none from this browser');
  context.fillStyle = colour('--paper');
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((done, failed) => {
    canvas.toBlob((blob) =>
      blob ? done(blob) : failed(new Error(`PNG: expected an image, got none at ${canvas.width} × ${canvas.height}`)),
    );
  });
}

const SCALE = 2;

/** An image by itself knows no custom property of the page, so each is replaced by its value. */
export function withColours(svg: string): string {
  return svg.replaceAll(/var\((--[a-z-]+)(?:,((?:[^()]|\([^()]*\))*))?\)/g, (whole, name: string) => colour(name) || whole);
}

export function colour(name: string): string {
  const probe = document.createElement('span');
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}
