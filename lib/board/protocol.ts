/** y-websocket message types of our own, beside 0 sync, 1 awareness, 2 auth, 3 query awareness. */
export const MESSAGE_PERSISTED = 100;
/**
 * Server to client, first of all: the room's epoch. A client passes the epoch of the document that it holds as the
 * query parameter `epoch` when it connects; where the room has another, it is closed with {@link CLOSE}.otherEpoch
 * and must start afresh with an empty document.
 */
export const MESSAGE_EPOCH = 101;
/** Server to client, in discussions: notifications or marks of this person changed; ask for them. Without a payload. */
export const MESSAGE_NEWS = 102;

/** Codes 4400–4499 stop the client from reconnecting. */
export const CLOSE = {
  badRequest: 4400,
  unauthorised: 4401,
  forbidden: 4403,
  notFound: 4404,
  /** somebody changed the person's role: the reason says to what; connect again to go on with it */
  roleChanged: 4405,
  otherEpoch: 4409,
  tooLarge: 4413,
  invalidUpdate: 4422,
  tooFast: 4429,
} as const;
