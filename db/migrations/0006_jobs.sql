CREATE TABLE "job_claims" (
	"job_id" text PRIMARY KEY NOT NULL,
	"queue" text NOT NULL,
	"key" text NOT NULL,
	"attempt" integer NOT NULL,
	"worker_id" text,
	"crashes" integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE "job_results" (
	"key" text PRIMARY KEY NOT NULL,
	"answer" json NOT NULL,
	"bytes" integer NOT NULL,
	"worker_id" text NOT NULL,
	"created_at" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "workers" (
	"id" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"kind" text NOT NULL,
	"version" text NOT NULL,
	"engine_version" text NOT NULL,
	"devices" json NOT NULL,
	"models" json NOT NULL,
	"running" integer NOT NULL,
	"lease" integer NOT NULL,
	"started_at" bigint NOT NULL,
	"seen_at" bigint NOT NULL
);
--> statement-breakpoint
CREATE INDEX "job_claims_worker" ON "job_claims" USING btree ("worker_id");--> statement-breakpoint
CREATE INDEX "job_results_created" ON "job_results" USING btree ("created_at");