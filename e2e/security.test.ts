import type { Page } from '@playwright/test';
import { expect, test, unravel } from './actors.ts';

/** What the browser would not do because of the page's policy. */
async function watchPolicy(page: Page): Promise<string[]> {
  const violations: string[] = [];
  await page.exposeFunction('tellViolation', (violation: string) => violations.push(violation));
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI, sourceFile }) => {
      const tell: unknown = Reflect.get(globalThis, 'tellViolation');
      if (typeof tell === 'function') tell(`${effectiveDirective}: ${blockedURI} in ${sourceFile}`);
    });
  });
  return violations;
}

test('every page runs under a policy that allows no inline script', async ({ owner }) => {
  const violations = await watchPolicy(owner);
  const start = await owner.goto('/');
  expect(start?.headers()['content-security-policy']).toMatch(/script-src 'self' 'nonce-[^']+' 'wasm-unsafe-eval';/);
  const board = await unravel(owner);
  const address = owner.url();
  await expect(board.grid.getByRole('row').first()).toBeVisible();
  for (const path of ['/models', '/sign-in', '/join/nobody-knows-this', '/boards/nobody-has-this', '/p/nobody/made/this', '/nowhere']) {
    await owner.goto(path);
    await expect(owner.locator('h1, main').first()).toBeVisible();
  }
  // A link that runs shows that the scripts of an error page run too.
  await owner.goto('/nowhere');
  await owner.getByRole('main').getByRole('link').click();
  await expect(owner.getByRole('button', { name: 'Unravel' })).toBeVisible();
  await owner.goto(address);
  await board.isReady();
  expect(violations).toEqual([]);
});

test('what somebody slips into a page does not run', async ({ owner }) => {
  const violations = await watchPolicy(owner);
  await owner.goto('/');
  const ran = await owner.evaluate(async () => {
    const script = document.createElement('script');
    script.textContent = 'globalThis.slipped = true';
    document.body.append(script);
    const image = document.createElement('img');
    image.setAttribute('onerror', 'globalThis.slipped = true');
    image.src = '/nowhere.png';
    document.body.append(image);
    await new Promise((done) => image.addEventListener('error', done));
    return 'slipped' in globalThis;
  });
  expect(ran).toBe(false);
  await expect.poll(() => violations.length).toBeGreaterThanOrEqual(2);
});

test('another site can do nothing with somebody’s session', async ({ owner, server }) => {
  const cookies = await owner.context().cookies();
  const session = cookies.find(({ name }) => name.includes('session'));
  expect(session).toMatchObject({ httpOnly: true, sameSite: 'Lax' });
  const headers = { cookie: cookies.map(({ name, value }) => `${name}=${value}`).join('; '), 'content-type': 'application/json' };
  const post = (origin: string) =>
    fetch(`${server.url}/api/workspaces`, { method: 'POST', headers: { ...headers, origin }, body: '{"name":"Forged"}' });
  expect((await post('http://evil.example')).status).toBe(403);
  expect((await post(server.url)).ok).toBe(true);
});
