/** Where better-auth is mounted. */
export const AUTH_PATH = '/api/auth';
