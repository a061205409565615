import { expect, test, unravel } from './actors.ts';
import { SharePage } from './share-page.ts';

test('a workspace has members, invitations, a log, a bin and an end', async ({ owner, visitor }) => {
  await owner.getByRole('button', { name: 'New workspace' }).click();
  await owner.getByLabel('Name of the workspace').fill('Circuits team');
  await owner.getByRole('button', { name: 'Create' }).click();
  await expect(owner.getByRole('heading', { level: 1, name: 'Circuits team' })).toBeVisible();
  const page = owner.url();
  const sections = owner.getByRole('navigation', { name: 'Parts of the workspace' });

  await sections.getByRole('link', { name: 'Invitations' }).click();
  const invitations = new SharePage(owner, owner.getByRole('main'));
  const link = await invitations.link('commenter');
  await visitor.goto(link);
  await expect(visitor.getByRole('main')).toContainText('As a commenter');
  await visitor.getByLabel('Your name').fill('Vera');
  await visitor.getByRole('button', { name: 'Join' }).click();
  await expect(visitor.getByRole('heading', { level: 1, name: 'Circuits team' })).toBeVisible();
  await expect(visitor.getByRole('navigation', { name: 'Parts of the workspace' }).getByRole('link')).toHaveText(['Boards', 'Members']);
  await visitor.goto('/');
  await expect(visitor.getByText('You can make no boards yet.')).toBeVisible();

  await test.step('a board is made in it, deleted and brought back', async () => {
    await owner.goto('/');
    const board = await unravel(owner, 'Circuits team');
    const share = await board.share();
    await expect(share.person('Vera')).toContainText('through the workspace');
    await share.place.getByRole('button', { name: 'Delete this board' }).click();
    await share.place.getByRole('group').getByRole('button', { name: 'Delete this board' }).click();
    await expect(owner.getByText('The board is in the bin.')).toBeVisible();
    await owner.getByRole('button', { name: 'Undo' }).click();
    await board.isReady();
    const again = await board.share();
    await again.place.getByRole('button', { name: 'Delete this board' }).click();
    await again.place.getByRole('group').getByRole('button', { name: 'Delete this board' }).click();
    await expect(owner.getByText('The board is in the bin.')).toBeVisible();
    await owner.goto(page);
    await expect(owner.getByText('No boards here yet.')).toBeVisible();
    await owner.getByRole('button', { name: /^Bring back/ }).click();
    await expect(owner.getByText('The bin is empty.')).toBeVisible();
    await expect(owner.getByText('No boards here yet.')).toHaveCount(0);
  });

  await test.step('an owner changes a role, and removes somebody', async () => {
    await sections.getByRole('link', { name: 'Members' }).click();
    const members = new SharePage(owner, owner.getByRole('main'));
    await members.setRole('Vera', 'editor');
    await visitor.reload();
    await expect(visitor.getByRole('button', { name: 'Unravel' })).toBeVisible();
    await members.remove('Vera');
    await visitor.reload();
    await expect(visitor.getByText('You can make no boards yet.')).toBeVisible();
  });

  await test.step('the log tells who did what', async () => {
    await sections.getByRole('link', { name: 'Log' }).click();
    const actions = owner.locator('tr[data-action]');
    await expect(actions.first()).toHaveAttribute('data-action', 'member.removed');
    for (const action of ['workspace.made', 'invite.made', 'member.joined', 'board.deleted', 'board.undeleted', 'member.role']) {
      await expect(owner.locator(`tr[data-action="${action}"]`).first()).toBeVisible();
    }
    await expect(owner.locator('tr[data-action="member.joined"]')).toContainText('Vera');
  });

  await test.step('it is renamed, and deleted by its name', async () => {
    await sections.getByRole('link', { name: 'Settings' }).click();
    await owner.getByLabel('Name of the workspace').fill('Path team');
    await owner.getByRole('button', { name: 'Save' }).click();
    await expect(owner.getByRole('heading', { level: 1, name: 'Path team' })).toBeVisible();
    const remove = owner.getByRole('button', { name: 'Delete the workspace' });
    await expect(remove).toBeDisabled();
    await owner.getByLabel('Type “Path team” to delete it').fill('Path team');
    await remove.click();
    await expect(owner.getByRole('button', { name: 'Unravel' })).toBeVisible();
    await expect(owner.getByText('Path team')).toHaveCount(0);
  });
});
