import { expect, type Locator, type Page } from '@playwright/test';

/** The graph view of an open board, as a person sees it. */
export class GraphPage {
  readonly stage: Locator;
  readonly tooltip: Locator;
  readonly hidden: Locator;
  readonly walked: Locator;
  readonly minimap: Locator;
  readonly threshold: Locator;

  constructor(readonly page: Page) {
    this.stage = page.getByTestId('graph-stage');
    this.tooltip = page.getByTestId('graph-tooltip');
    this.hidden = page.getByTestId('graph-hidden');
    this.walked = page.getByTestId('graph-walked');
    this.minimap = page.getByTestId('graph-minimap');
    this.threshold = page.getByRole('slider', { name: /^Show edges from/ });
  }

  /** Drawn, with so many edges where a number is given. */
  async isDrawn(edges?: number): Promise<void> {
    await expect(this.stage).toHaveAttribute('data-drawn', edges === undefined ? /^\d+$/ : String(edges));
  }

  async edges(): Promise<number> {
    await this.isDrawn();
    return Number(await this.stage.getAttribute('data-drawn'));
  }

  /** Moves the cursor along a row of the graph, from the right, until the tooltip reads like this; where that was. */
  async find(row: string, text: RegExp): Promise<{ x: number; y: number }> {
    const label = await this.page.getByText(row, { exact: true }).last().boundingBox();
    const box = await this.stage.boundingBox();
    if (!label || !box) throw new Error(`graph: expected a row ${row} in view, got none`);
    const y = label.y + label.height / 2;
    for (let x = box.x + box.width - 4; x > box.x; x -= 3) {
      await this.page.mouse.move(x, y);
      if ((await this.tooltip.count()) > 0 && text.test((await this.tooltip.textContent()) ?? '')) return { x, y };
    }
    throw new Error(`graph: expected ${text} under the cursor somewhere in row ${row}, got it nowhere`);
  }

  /** How a pixel of the picture moved is told by the row's label. */
  async rowAt(row: string): Promise<number> {
    return (await this.page.getByText(row, { exact: true }).last().boundingBox())!.y;
  }

  setting(name: string): string | null {
    return new URL(this.page.url()).searchParams.get(`graph.${name}`);
  }
}
