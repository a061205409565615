import { statfs } from 'node:fs/promises';
import { Refusal } from './refusal.ts';

/** Bytes that what is sent or fetched leaves free: a database without room for edits would stop everybody. */
export const RESERVE = 1e9;

/** @throws Refusal where the disk has less than `bytes` left */
export async function checkSpace(folder: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize < bytes) throw new Refusal('too-large', folder, `a disk with ${bytes} free bytes`, `${bavail * bsize}`);
}

/** True for the error of a write that found no room: the disk's, or what this user may take of it. */
export function isDiskFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
}

export function noSpace(folder: string, error: unknown): Refusal {
  const got = error instanceof Error && 'code' in error ? String(error.code) : 'none';
  return new Refusal('too-large', folder, 'a disk with room for the model', `a full one (${got}); what came is kept`);
}
