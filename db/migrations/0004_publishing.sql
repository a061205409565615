CREATE TABLE "imported_graphs" (
	"id" text PRIMARY KEY NOT NULL,
	"board_id" text NOT NULL,
	"name" text NOT NULL,
	"format" text NOT NULL,
	"graph" json NOT NULL,
	"nodes" integer NOT NULL,
	"links" integer NOT NULL,
	"author_id" text NOT NULL,
	"author_name" text NOT NULL,
	"created_at" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "page_verifications" (
	"slug" text NOT NULL,
	"version" integer NOT NULL,
	"content_hash" text NOT NULL,
	"engine_version" text NOT NULL,
	"report" json NOT NULL,
	"created_at" bigint NOT NULL,
	CONSTRAINT "page_verifications_slug_version_pk" PRIMARY KEY("slug","version")
);
--> statement-breakpoint
ALTER TABLE "boards" ADD COLUMN "pages_go" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "publication_versions" ADD COLUMN "card" "bytea";--> statement-breakpoint
ALTER TABLE "publication_versions" ADD COLUMN "weights" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "imported_graphs" ADD CONSTRAINT "imported_graphs_board_id_boards_id_fk" FOREIGN KEY ("board_id") REFERENCES "public"."boards"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "imported_graphs" ADD CONSTRAINT "imported_graphs_author_id_people_id_fk" FOREIGN KEY ("author_id") REFERENCES "public"."people"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "page_verifications" ADD CONSTRAINT "page_verifications_version" FOREIGN KEY ("slug","version") REFERENCES "public"."publication_versions"("slug","version") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "imported_graphs_board" ON "imported_graphs" USING btree ("board_id","created_at");