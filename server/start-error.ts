/** A failure that whoever starts the server can mend; its message, a line for each fault, is all that is printed. */
export class StartError extends Error {
  readonly isStartError = true;
}
