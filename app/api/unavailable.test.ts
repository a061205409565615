import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { setApp } from '../../server/app.ts';
import { ask } from '../../server/testing/routes.ts';
import { hasPostgres, startPostgres, type Postgres } from '../../server/testing/services.ts';
import { PASSWORD, openWorld, until, type Actor, type World } from '../../server/testing/world.ts';

/** What is said while the database does not answer: that, and neither that somebody is signed out nor that nothing is there. */

describe.skipIf(!hasPostgres())('while Postgres is down', () => {
  let postgres: Postgres;
  let world: World;
  let actor: Actor;
  let board: string;

  beforeAll(async () => {
    postgres = (await startPostgres())!;
    world = await openWorld({ databaseUrl: await postgres.createDatabase() });
    setApp(world.app);
    actor = await world.account('Waiting');
    board = await world.board(actor);
    await postgres.kill();
  });
  afterAll(async () => {
    await world.stop();
    await postgres.stop();
  });

  const headers = () => ({ origin: `http://127.0.0.1:${world.port}` });
  const calls: [string, string, unknown?][] = [
    ['GET', '/api/me'],
    ['GET', '/api/boards'],
    ['POST', '/api/join', { token: 'x', name: 'Somebody' }],
    ['GET', '/api/auth/get-session'],
    ['POST', '/api/auth/sign-in/email', { email: 'waiting@example.org', password: PASSWORD }],
  ];

  test.each(calls)('%s %s says so, and when to come again', async (method, path, body) => {
    const response = await ask(actor, method, path, { body, headers: headers() });
    const { error } = await response.json();
    expect([response.status, error.code, response.headers.get('retry-after')]).toEqual([503, 'unavailable', '5']);
    expect(error.message).not.toMatch(/select|insert|127\.0\.0\.1:|postgres:/i);
  });

  test('somebody who is not signed in is told the same when they sign in', async () => {
    const response = await ask(null, ...(['POST', '/api/auth/sign-in/email'] as const), {
      body: { email: 'waiting@example.org', password: PASSWORD },
      headers: headers(),
    });
    expect([response.status, (await response.json()).error.code]).toEqual([503, 'unavailable']);
  });

  test('when it is back, all is as it was', async () => {
    await postgres.restart();
    let status = 0;
    const look = async () => {
      status = (await ask(actor, 'GET', `/api/boards/${board}/access`)).status;
    };
    await look();
    await until(() => {
      if (status !== 200) void look();
      return status === 200;
    });
    expect(status).toBe(200);
  });
});
