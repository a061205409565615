/** Bytes of one request of an upload. Apart from the shapes, whose validation no page needs. */
export const UPLOAD_CHUNK = 4 * 1024 * 1024;
