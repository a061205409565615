CREATE TABLE "accounts" (
	"id" text PRIMARY KEY NOT NULL,
	"account_id" text NOT NULL,
	"provider_id" text NOT NULL,
	"person_id" text NOT NULL,
	"access_token" text,
	"refresh_token" text,
	"id_token" text,
	"access_token_expires_at" timestamp (3) with time zone,
	"refresh_token_expires_at" timestamp (3) with time zone,
	"scope" text,
	"password" text,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "verifications" (
	"id" text PRIMARY KEY NOT NULL,
	"identifier" text NOT NULL,
	"value" text NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "audit" (
	"id" bigserial PRIMARY KEY NOT NULL,
	"at" bigint NOT NULL,
	"workspace_id" text NOT NULL,
	"board_id" text,
	"person_id" text,
	"person_name" text NOT NULL,
	"action" text NOT NULL,
	"details" json NOT NULL
);
--> statement-breakpoint
CREATE TABLE "members" (
	"workspace_id" text NOT NULL,
	"person_id" text NOT NULL,
	"role" text,
	"name_key" text NOT NULL,
	"joined_at" bigint NOT NULL,
	CONSTRAINT "members_workspace_id_person_id_pk" PRIMARY KEY("workspace_id","person_id")
);
--> statement-breakpoint
CREATE TABLE "workspaces" (
	"id" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"created_at" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "quarantine" (
	"id" bigserial PRIMARY KEY NOT NULL,
	"room" text NOT NULL,
	"update_id" bigint,
	"data" "bytea" NOT NULL,
	"person_id" text,
	"reason" text NOT NULL,
	"removed_at" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "rooms" (
	"room" text PRIMARY KEY NOT NULL,
	"epoch" integer DEFAULT 0 NOT NULL
);
--> statement-breakpoint
CREATE TABLE "versions" (
	"id" text PRIMARY KEY NOT NULL,
	"board_id" text NOT NULL,
	"name" text,
	"data" "bytea" NOT NULL,
	"author_id" text,
	"author_name" text NOT NULL,
	"created_at" bigint NOT NULL
);
--> statement-breakpoint
DROP TABLE "sessions";
--> statement-breakpoint
CREATE TABLE "sessions" (
	"id" text PRIMARY KEY NOT NULL,
	"token" text NOT NULL,
	"person_id" text NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"ip_address" text,
	"user_agent" text,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "sessions_token_unique" UNIQUE("token")
);
--> statement-breakpoint
ALTER TABLE "sessions" ADD CONSTRAINT "sessions_person_id_people_id_fk" FOREIGN KEY ("person_id") REFERENCES "public"."people"("id") ON DELETE cascade ON UPDATE no action;
--> statement-breakpoint
CREATE INDEX "sessions_person" ON "sessions" USING btree ("person_id");
--> statement-breakpoint
ALTER TABLE "people" ALTER COLUMN "created_at" SET DATA TYPE timestamp (3) with time zone USING to_timestamp("created_at" / 1000.0);
--> statement-breakpoint
ALTER TABLE "people" ALTER COLUMN "created_at" SET DEFAULT now();
--> statement-breakpoint
ALTER TABLE "people" ADD COLUMN "updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL;
--> statement-breakpoint
ALTER TABLE "people" ADD COLUMN "email" text;
--> statement-breakpoint
UPDATE "people" SET "email" = "id" || '@guest.invalid';
--> statement-breakpoint
ALTER TABLE "people" ALTER COLUMN "email" SET NOT NULL;
--> statement-breakpoint
ALTER TABLE "people" ADD CONSTRAINT "people_email_unique" UNIQUE("email");
--> statement-breakpoint
ALTER TABLE "people" ADD COLUMN "email_verified" boolean DEFAULT false NOT NULL;
--> statement-breakpoint
ALTER TABLE "people" ADD COLUMN "image" text;
--> statement-breakpoint
ALTER TABLE "people" ADD COLUMN "is_anonymous" boolean DEFAULT false NOT NULL;
--> statement-breakpoint
UPDATE "people" SET "is_anonymous" = true WHERE NOT "owner";
--> statement-breakpoint
ALTER TABLE "people" ADD COLUMN "merged_into" text;
--> statement-breakpoint
ALTER TABLE "people" ADD CONSTRAINT "people_merged_into_people_id_fk" FOREIGN KEY ("merged_into") REFERENCES "public"."people"("id") ON DELETE no action ON UPDATE no action;
--> statement-breakpoint
INSERT INTO "workspaces" ("id", "name", "created_at") SELECT md5("id"), 'Home', (extract(epoch from "created_at") * 1000)::bigint FROM "people" WHERE "owner";
--> statement-breakpoint
INSERT INTO "members" ("workspace_id", "person_id", "role", "name_key", "joined_at")
SELECT "w"."id", "p"."id", CASE WHEN "p"."owner" THEN 'owner' END,
  CASE WHEN row_number() OVER (PARTITION BY "p"."name_key" ORDER BY "p"."owner" DESC, "p"."joined_at", "p"."id") = 1 THEN "p"."name_key" ELSE "p"."name_key" || ' ' || "p"."id" END,
  "p"."joined_at"
FROM "workspaces" "w", (
  SELECT "people"."id", "people"."owner", coalesce(min("memberships"."name_key"), lower("people"."name")) AS "name_key",
    coalesce(min("memberships"."joined_at"), (extract(epoch from "people"."created_at") * 1000)::bigint) AS "joined_at"
  FROM "people" LEFT JOIN "memberships" ON "memberships"."person_id" = "people"."id"
  WHERE "people"."owner" OR "memberships"."person_id" IS NOT NULL
  GROUP BY "people"."id"
) "p";
--> statement-breakpoint
ALTER TABLE "boards" ADD COLUMN "workspace_id" text;
--> statement-breakpoint
UPDATE "boards" SET "workspace_id" = (SELECT "id" FROM "workspaces");
--> statement-breakpoint
ALTER TABLE "boards" ALTER COLUMN "workspace_id" SET NOT NULL;
--> statement-breakpoint
ALTER TABLE "boards" ADD COLUMN "deleted_at" bigint;
--> statement-breakpoint
DROP INDEX "memberships_name";
--> statement-breakpoint
ALTER TABLE "memberships" DROP COLUMN "name_key";
--> statement-breakpoint
ALTER TABLE "memberships" ADD COLUMN "role" text DEFAULT 'editor' NOT NULL;
--> statement-breakpoint
ALTER TABLE "memberships" ALTER COLUMN "role" DROP DEFAULT;
--> statement-breakpoint
UPDATE "memberships" SET "role" = 'owner' FROM "boards" WHERE "boards"."id" = "memberships"."board_id" AND "boards"."created_by" = "memberships"."person_id";
--> statement-breakpoint
ALTER TABLE "invites" DROP CONSTRAINT "invites_pkey";
--> statement-breakpoint
ALTER TABLE "invites" ALTER COLUMN "board_id" DROP NOT NULL;
--> statement-breakpoint
ALTER TABLE "invites" ADD COLUMN "id" text;
--> statement-breakpoint
UPDATE "invites" SET "id" = left("token_hash", 24);
--> statement-breakpoint
ALTER TABLE "invites" ADD PRIMARY KEY ("id");
--> statement-breakpoint
ALTER TABLE "invites" ADD COLUMN "workspace_id" text;
--> statement-breakpoint
UPDATE "invites" SET "workspace_id" = (SELECT "id" FROM "workspaces");
--> statement-breakpoint
ALTER TABLE "invites" ALTER COLUMN "workspace_id" SET NOT NULL;
--> statement-breakpoint
ALTER TABLE "invites" ADD COLUMN "role" text DEFAULT 'editor' NOT NULL;
--> statement-breakpoint
ALTER TABLE "invites" ALTER COLUMN "role" DROP DEFAULT;
--> statement-breakpoint
ALTER TABLE "invites" ADD COLUMN "max_uses" integer;
--> statement-breakpoint
ALTER TABLE "invites" ADD COLUMN "uses" integer DEFAULT 0 NOT NULL;
--> statement-breakpoint
ALTER TABLE "invites" ADD COLUMN "revoked_at" bigint;
--> statement-breakpoint
ALTER TABLE "snapshots" DROP CONSTRAINT "snapshots_pkey";
--> statement-breakpoint
ALTER TABLE "snapshots" ADD COLUMN "last_id" bigint DEFAULT 0 NOT NULL;
--> statement-breakpoint
ALTER TABLE "snapshots" ALTER COLUMN "last_id" DROP DEFAULT;
--> statement-breakpoint
ALTER TABLE "snapshots" ADD CONSTRAINT "snapshots_room_last_id_pk" PRIMARY KEY("room","last_id");
--> statement-breakpoint
ALTER TABLE "accounts" ADD CONSTRAINT "accounts_person_id_people_id_fk" FOREIGN KEY ("person_id") REFERENCES "public"."people"("id") ON DELETE cascade ON UPDATE no action;
--> statement-breakpoint
ALTER TABLE "members" ADD CONSTRAINT "members_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;
--> statement-breakpoint
ALTER TABLE "members" ADD CONSTRAINT "members_person_id_people_id_fk" FOREIGN KEY ("person_id") REFERENCES "public"."people"("id") ON DELETE cascade ON UPDATE no action;
--> statement-breakpoint
ALTER TABLE "versions" ADD CONSTRAINT "versions_board_id_boards_id_fk" FOREIGN KEY ("board_id") REFERENCES "public"."boards"("id") ON DELETE cascade ON UPDATE no action;
--> statement-breakpoint
ALTER TABLE "versions" ADD CONSTRAINT "versions_author_id_people_id_fk" FOREIGN KEY ("author_id") REFERENCES "public"."people"("id") ON DELETE no action ON UPDATE no action;
--> statement-breakpoint
CREATE INDEX "accounts_person" ON "accounts" USING btree ("person_id");
--> statement-breakpoint
CREATE UNIQUE INDEX "accounts_provider" ON "accounts" USING btree ("provider_id","account_id");
--> statement-breakpoint
CREATE INDEX "verifications_identifier" ON "verifications" USING btree ("identifier");
--> statement-breakpoint
CREATE INDEX "audit_workspace" ON "audit" USING btree ("workspace_id","id");
--> statement-breakpoint
CREATE UNIQUE INDEX "members_name" ON "members" USING btree ("workspace_id","name_key");
--> statement-breakpoint
CREATE INDEX "members_person" ON "members" USING btree ("person_id");
--> statement-breakpoint
CREATE INDEX "quarantine_room" ON "quarantine" USING btree ("room");
--> statement-breakpoint
CREATE INDEX "versions_board" ON "versions" USING btree ("board_id","created_at");
--> statement-breakpoint
ALTER TABLE "boards" ADD CONSTRAINT "boards_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;
--> statement-breakpoint
ALTER TABLE "invites" ADD CONSTRAINT "invites_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;
--> statement-breakpoint
CREATE INDEX "boards_workspace" ON "boards" USING btree ("workspace_id","updated_at");
--> statement-breakpoint
CREATE INDEX "invites_workspace" ON "invites" USING btree ("workspace_id");
--> statement-breakpoint
CREATE INDEX "people_merged_into" ON "people" USING btree ("merged_into");
--> statement-breakpoint
ALTER TABLE "invites" ADD CONSTRAINT "invites_token_hash_unique" UNIQUE("token_hash");
--> statement-breakpoint
ALTER TABLE "invites" ADD CONSTRAINT "invites_uses" CHECK ("invites"."max_uses" is null or "invites"."uses" <= "invites"."max_uses");
