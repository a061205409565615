// Changes a published version behind the server's back: node --import tsx e2e/tamper.mjs HOME SLUG CHANGE
import { fileURLToPath } from 'node:url';
import { openDatabase } from '../db/client.ts';
import { publicationVersions } from '../db/schema.ts';
import { eq } from 'drizzle-orm';

const [home, slug, change] = process.argv.slice(2);

const CHANGES = {
  term: ({ partition }) => (partition.terms[0].value += 0.5),
  verdict: ({ claims }) => (claims[0].evidence[0].verdict.value = 'fails'),
  label: ({ labels }) => (labels[0].text = 'other words'),
  model: ({ degrees }) => (degrees.model.hash = 'f'.repeat(64)),
};

const { db, close } = await openDatabase(home, fileURLToPath(new URL('../db/migrations', import.meta.url)));
const [row] = await db.select().from(publicationVersions).where(eq(publicationVersions.slug, slug));
CHANGES[change](row.snapshot);
await db.update(publicationVersions).set({ snapshot: row.snapshot }).where(eq(publicationVersions.slug, slug));
await close();
