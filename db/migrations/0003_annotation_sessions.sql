CREATE TABLE "annotation_items" (
	"session_id" text NOT NULL,
	"item" integer NOT NULL,
	"anchor" text NOT NULL,
	"title" text,
	"members" json,
	"value" double precision,
	CONSTRAINT "annotation_items_session_id_item_pk" PRIMARY KEY("session_id","item")
);
--> statement-breakpoint
CREATE TABLE "annotation_labels" (
	"id" text PRIMARY KEY NOT NULL,
	"session_id" text NOT NULL,
	"item" integer NOT NULL,
	"person_id" text NOT NULL,
	"label" text,
	"unsure" boolean NOT NULL,
	"note" text NOT NULL,
	"blind" boolean NOT NULL,
	"at" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "annotation_sessions" (
	"id" text PRIMARY KEY NOT NULL,
	"board_id" text NOT NULL,
	"name" text NOT NULL,
	"instructions" text NOT NULL,
	"labels" json NOT NULL,
	"per_item" integer,
	"hides_numbers" boolean NOT NULL,
	"picked" json NOT NULL,
	"setup" json NOT NULL,
	"answer" json NOT NULL,
	"state" text NOT NULL,
	"facilitator_id" text NOT NULL,
	"created_at" bigint NOT NULL,
	"revealed_at" bigint,
	"revision" integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE "annotation_tasks" (
	"session_id" text NOT NULL,
	"item" integer NOT NULL,
	"person_id" text NOT NULL,
	"skipped_at" bigint,
	"taken_from" text,
	CONSTRAINT "annotation_tasks_session_id_item_person_id_pk" PRIMARY KEY("session_id","item","person_id")
);
--> statement-breakpoint
CREATE TABLE "annotators" (
	"session_id" text NOT NULL,
	"person_id" text NOT NULL,
	"joined_at" bigint NOT NULL,
	CONSTRAINT "annotators_session_id_person_id_pk" PRIMARY KEY("session_id","person_id")
);
--> statement-breakpoint
ALTER TABLE "annotation_items" ADD CONSTRAINT "annotation_items_session_id_annotation_sessions_id_fk" FOREIGN KEY ("session_id") REFERENCES "public"."annotation_sessions"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "annotation_labels" ADD CONSTRAINT "annotation_labels_session_id_annotation_sessions_id_fk" FOREIGN KEY ("session_id") REFERENCES "public"."annotation_sessions"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "annotation_labels" ADD CONSTRAINT "annotation_labels_person_id_people_id_fk" FOREIGN KEY ("person_id") REFERENCES "public"."people"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "annotation_labels" ADD CONSTRAINT "annotation_labels_session_id_item_annotation_items_session_id_item_fk" FOREIGN KEY ("session_id","item") REFERENCES "public"."annotation_items"("session_id","item") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "annotation_sessions" ADD CONSTRAINT "annotation_sessions_board_id_boards_id_fk" FOREIGN KEY ("board_id") REFERENCES "public"."boards"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "annotation_sessions" ADD CONSTRAINT "annotation_sessions_facilitator_id_people_id_fk" FOREIGN KEY ("facilitator_id") REFERENCES "public"."people"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "annotation_tasks" ADD CONSTRAINT "annotation_tasks_session_id_annotation_sessions_id_fk" FOREIGN KEY ("session_id") REFERENCES "public"."annotation_sessions"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "annotation_tasks" ADD CONSTRAINT "annotation_tasks_person_id_people_id_fk" FOREIGN KEY ("person_id") REFERENCES "public"."people"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "annotation_tasks" ADD CONSTRAINT "annotation_tasks_session_id_item_annotation_items_session_id_item_fk" FOREIGN KEY ("session_id","item") REFERENCES "public"."annotation_items"("session_id","item") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "annotators" ADD CONSTRAINT "annotators_session_id_annotation_sessions_id_fk" FOREIGN KEY ("session_id") REFERENCES "public"."annotation_sessions"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "annotators" ADD CONSTRAINT "annotators_person_id_people_id_fk" FOREIGN KEY ("person_id") REFERENCES "public"."people"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "annotation_labels_one" ON "annotation_labels" USING btree ("session_id","item","person_id") WHERE "annotation_labels"."label" is not null;--> statement-breakpoint
CREATE INDEX "annotation_labels_person" ON "annotation_labels" USING btree ("person_id");--> statement-breakpoint
CREATE INDEX "annotation_sessions_board" ON "annotation_sessions" USING btree ("board_id","created_at");--> statement-breakpoint
CREATE INDEX "annotation_tasks_person" ON "annotation_tasks" USING btree ("person_id");--> statement-breakpoint
CREATE INDEX "annotators_person" ON "annotators" USING btree ("person_id");