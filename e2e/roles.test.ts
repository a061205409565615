import { expect, follow, join, test, unravel } from './actors.ts';
import { BoardPage } from './board-page.ts';

test('a viewer sees everything and changes nothing', async ({ owner, visitor }) => {
  const board = await unravel(owner);
  const [path = ''] = await board.paths('complete');
  await board.select(path);
  await board.label('copies the name');
  await board.comment('look at this one');
  await expect(board.said('look at this one')).toBeVisible();
  await board.show('Claims');
  await owner.locator('main').getByLabel('Claim, one sentence').first().fill('It copies');
  await owner.locator('main').getByRole('button', { name: 'Make the claim' }).first().click();

  const guest = await join(visitor, board, 'Vera', 'viewer');
  await guest.select(path);
  await expect(guest.inspector.locator('[data-label="copies the name"]')).toBeVisible();
  await expect(guest.said('look at this one')).toBeVisible();
  await expect(guest.inspector).toContainText('You are a viewer here; ask an owner for more.');
  for (const name of ['Add a label', 'Write a comment', 'Claim, one sentence']) {
    await expect(guest.inspector.getByLabel(name)).toHaveCount(0);
  }
  for (const name of ['Edit prompt', 'Publish', 'Path effect']) await expect(visitor.getByRole('button', { name })).toHaveCount(0);
  await expect(visitor.getByLabel('Title of the board')).toHaveCount(0);
  await expect(visitor.getByTestId('target-button')).toHaveCount(0);
  await expect(visitor.getByRole('radio').first()).toBeDisabled();
  await guest.show('Claims');
  await expect(visitor.getByText('It copies')).toBeVisible();
  await expect(visitor.getByRole('group', { name: 'Your stance' })).toHaveCount(0);
  const share = await guest.share();
  await expect(share.person('Owner')).toContainText('owner');
  await expect(share.place.getByRole('form', { name: 'Make a link' })).toHaveCount(0);
});

test('a commenter argues, and edits nothing', async ({ owner, visitor }) => {
  const board = await unravel(owner);
  const guest = await join(visitor, board, 'Carl', 'commenter');
  const [path = ''] = await board.paths('complete');
  await board.select(path);
  await guest.select(path);
  await guest.comment('I see it as well');
  await expect(board.said('I see it as well')).toBeVisible();
  await guest.inspector.getByRole('button', { name: 'Path effect' }).click();
  await expect(guest.inspector.getByTestId('effect').first()).toBeVisible();
  await guest.inspector.locator('[data-run]').getByRole('button', { name: 'Attach to claim…' }).first().click();
  await guest.inspector.getByRole('form', { name: 'Attach to claim…' }).getByLabel('Claim, one sentence').fill('It matters');
  await guest.inspector.getByRole('button', { name: 'Attach', exact: true }).click();
  await expect(board.inspector.getByText('It matters')).toBeVisible();
  await guest.show('Claims');
  await visitor.getByRole('button', { name: 'for', exact: true }).click();
  await expect(visitor.locator('[data-stance="for"]')).toContainText('Carl');
  await expect(guest.inspector.getByLabel('Add a label')).toHaveCount(0);
  for (const name of ['Edit prompt', 'Publish']) await expect(visitor.getByRole('button', { name })).toHaveCount(0);
});

test('a role changes while its person is there, who is told and goes on', async ({ owner, visitor }) => {
  const board = await unravel(owner);
  const guest = await join(visitor, board, 'Vera', 'viewer');
  const [path = ''] = await board.paths('complete');
  await guest.select(path);
  const share = await board.share();

  await share.setRole('Vera', 'editor');
  await expect(guest.notice).toContainText('editor');
  await expect(guest.connection).toHaveText('saved');
  await guest.label('made by an editor');
  await guest.isSaved();

  await share.setRole('Vera', 'viewer');
  await expect(guest.notice).toContainText('viewer');
  await expect(guest.connection).toHaveText('saved');
  await expect(guest.inspector.getByLabel('Add a label')).toHaveCount(0);
  await expect(guest.inspector.locator('[data-label="made by an editor"]')).toBeVisible();
  await guest.notice.getByRole('button', { name: 'Dismiss' }).click();
  await expect(guest.notice).toBeEmpty();

  await share.remove('Vera');
  await expect(guest.connection).toHaveAttribute('data-connection', 'closed');
  await expect(guest.notice).toContainText('board');
  await visitor.reload();
  await expect(visitor.getByRole('heading', { name: 'There is nothing at this address.' })).toBeVisible();
});

test('a link takes as many people as it was made for, and none once it is revoked', async ({ owner, visitor, browser, server }) => {
  const board = await unravel(owner);
  const share = await board.share();
  const once = await share.link('commenter', { uses: 1, days: 2 });
  await follow(visitor, once, 'Vera');

  const context = await browser.newContext({ baseURL: server.url });
  const late = await context.newPage();
  await late.goto(once);
  await expect(late.getByRole('heading', { name: 'This invitation cannot be used' })).toBeVisible();
  await expect(late.getByRole('main')).toContainText('used up');

  const open = await share.link('viewer');
  await share.place.getByRole('button', { name: 'Revoke the link for viewers' }).click();
  await share.place.getByText('links that no longer work').click();
  await expect(share.place.locator('[data-invite="viewer"]')).toHaveAttribute('data-state', 'revoked');
  await expect(share.place.locator('[data-invite="commenter"]')).toHaveAttribute('data-state', 'used up');
  await late.goto(open);
  await expect(late.getByRole('main')).toContainText('revoked');
  await context.close();
});

test('a guest makes an account, and what they wrote is theirs in another browser', async ({ owner, visitor, browser, server }) => {
  const board = await unravel(owner);
  const guest = await join(visitor, board, 'Vera', 'commenter');
  const [path = ''] = await board.paths('complete');
  await guest.select(path);
  await guest.comment('written as a guest');
  await expect(guest.said('written as a guest')).toBeVisible();
  const address = visitor.url();

  await visitor.getByRole('button', { name: 'Signed in as Vera' }).click();
  await visitor.getByRole('button', { name: 'Sign out' }).click();
  await expect(visitor.getByRole('dialog', { name: 'Sign out?' })).toContainText('You are a guest.');
  // Scripts that come late: nothing that is typed before may be lost.
  await visitor.route('**/_next/static/**/*.js', (route) => setTimeout(() => void route.continue(), 2_000));
  await visitor.getByRole('button', { name: 'Make an account' }).click();
  const form = visitor.getByRole('form', { name: 'Make an account' });
  await form.getByLabel('E-mail').fill('vera@example.org');
  await form.getByLabel('Password').fill('a long enough password');
  await form.getByRole('button', { name: 'Make the account' }).click();
  await visitor.unroute('**/_next/static/**/*.js');
  await expect(visitor.getByRole('form', { name: 'Change the password' })).toBeVisible();

  const context = await browser.newContext({ baseURL: server.url });
  const elsewhere = await context.newPage();
  await elsewhere.goto(new URL(address).pathname);
  const signIn = elsewhere.getByRole('form', { name: 'Sign in' });
  await signIn.getByLabel('E-mail').fill('vera@example.org');
  await signIn.getByLabel('Password').fill('not the password');
  await signIn.getByRole('button', { name: 'Sign in' }).click();
  await expect(signIn.getByRole('alert')).toBeVisible();
  await signIn.getByLabel('Password').fill('a long enough password');
  await signIn.getByRole('button', { name: 'Sign in' }).click();
  const again = new BoardPage(elsewhere);
  await again.isReady();
  await again.select(path);
  await again.said('written as a guest').getByRole('button', { name: 'Edit' }).click();
  await again.inspector.getByLabel('Edit').fill('written as a guest, edited with an account');
  await again.inspector.getByRole('button', { name: 'Save' }).click();
  await expect(board.page.locator('body')).toBeVisible();
  await expect(guest.page.getByTestId('sessions')).toContainText('this browser');

  await test.step('the first browser sees the other one, and signs it out', async () => {
    await visitor.reload();
    await expect(visitor.getByTestId('sessions').getByRole('listitem')).toHaveCount(2);
    await visitor.getByRole('button', { name: 'Sign out everywhere else' }).click();
    await expect(visitor.getByTestId('sessions').getByRole('listitem')).toHaveCount(1);
    await elsewhere.goto('/account');
    await expect(elsewhere.getByRole('heading', { name: 'Sign in' })).toBeVisible();
  });

  await test.step('a guest who turns out to have an account edits what the guest wrote', async () => {
    const stranger = await join(elsewhere, board, 'Somebody', 'commenter');
    await stranger.select(path);
    await stranger.comment('written before signing in');
    await expect(stranger.said('written before signing in')).toBeVisible();
    await elsewhere.goto(`/sign-in?to=${new URL(address).pathname}`);
    await signIn.getByLabel('E-mail').fill('vera@example.org');
    await signIn.getByLabel('Password').fill('a long enough password');
    await signIn.getByRole('button', { name: 'Sign in' }).click();
    await again.isReady();
    await expect(elsewhere.getByRole('button', { name: 'Signed in as Vera' })).toBeVisible();
    await again.select(path);
    await expect(again.said('written before signing in').getByRole('button', { name: 'Edit' })).toBeVisible();
  });
  await context.close();
});
