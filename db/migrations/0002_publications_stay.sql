ALTER TABLE "publications" DROP CONSTRAINT "publications_board_id_boards_id_fk";
--> statement-breakpoint
ALTER TABLE "publications" ALTER COLUMN "board_id" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "publications" ADD CONSTRAINT "publications_board_id_boards_id_fk" FOREIGN KEY ("board_id") REFERENCES "public"."boards"("id") ON DELETE set null ON UPDATE no action;