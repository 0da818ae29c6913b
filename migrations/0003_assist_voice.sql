CREATE TABLE "voice_clip" (
	"language" text NOT NULL,
	"text_key" text NOT NULL,
	"digest" text NOT NULL,
	"content_type" text NOT NULL,
	"file_name" text NOT NULL,
	"sound" "bytea" NOT NULL,
	"duration_ms" integer,
	"sample" boolean DEFAULT false NOT NULL,
	"imported_at" timestamp with time zone NOT NULL,
	CONSTRAINT "voice_clip_language_text_key_pk" PRIMARY KEY("language","text_key")
);
--> statement-breakpoint
ALTER TABLE "session" ADD COLUMN "subject_person_id" bigint;--> statement-breakpoint
CREATE INDEX "voice_clip_digest" ON "voice_clip" USING btree ("digest");--> statement-breakpoint
CREATE INDEX "session_subject" ON "session" USING btree ("commune_id","subject_person_id") WHERE subject_person_id IS NOT NULL;