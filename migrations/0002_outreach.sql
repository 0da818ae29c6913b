CREATE TABLE "campaign" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "campaign_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"commune_id" bigint NOT NULL,
	"author_contact_id" bigint,
	"state" text DEFAULT 'draft' NOT NULL,
	"text" text NOT NULL,
	"attachment" jsonb,
	"rule" jsonb NOT NULL,
	"routes" jsonb NOT NULL,
	"shown_people" integer,
	"recipients" integer,
	"scheduled_at" timestamp with time zone,
	"started_at" timestamp with time zone,
	"next_contact_until" timestamp with time zone,
	"finished_at" timestamp with time zone,
	"pause_class" text,
	"pause_detail" text,
	"failures_from" timestamp with time zone,
	"article_message_id" text,
	"article_class" text,
	"checksum" text,
	"created_at" timestamp with time zone NOT NULL,
	"updated_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "campaign_lane" (
	"campaign_id" integer NOT NULL,
	"account_id" integer NOT NULL,
	"commune_id" integer NOT NULL,
	"cursor" bigint NOT NULL,
	"exhausted" boolean DEFAULT false NOT NULL,
	"served_at" timestamp with time zone NOT NULL,
	CONSTRAINT "campaign_lane_account_id_campaign_id_pk" PRIMARY KEY("account_id","campaign_id")
);
--> statement-breakpoint
CREATE TABLE "pace_bucket" (
	"key" text PRIMARY KEY NOT NULL,
	"slots" integer[] NOT NULL,
	"slot" bigint NOT NULL,
	"campaign_at_ms" double precision NOT NULL,
	"reply_at_ms" double precision NOT NULL,
	"hold_until_ms" double precision NOT NULL
);
--> statement-breakpoint
CREATE TABLE "recipient" (
	"commune_id" integer NOT NULL,
	"campaign_id" integer NOT NULL,
	"person_id" bigint NOT NULL,
	"contact_id" bigint,
	"account_id" integer,
	"status" text NOT NULL,
	"route" text NOT NULL,
	"class" text,
	"attempts" smallint DEFAULT 0 NOT NULL,
	"not_before" timestamp with time zone,
	"claimed_at" timestamp with time zone,
	"platform_message_id" text,
	"content_hash" text,
	"sent_at" timestamp with time zone,
	"received_at" timestamp with time zone,
	"seen_at" timestamp with time zone,
	CONSTRAINT "recipient_commune_id_campaign_id_person_id_pk" PRIMARY KEY("commune_id","campaign_id","person_id")
);
--> statement-breakpoint
CREATE TABLE "recipient_batch" (
	"id" text PRIMARY KEY NOT NULL,
	"commune_id" integer NOT NULL,
	"campaign_id" integer NOT NULL,
	"account_id" integer NOT NULL,
	"claimed_by" integer NOT NULL,
	"claimed_at" timestamp with time zone NOT NULL,
	"person_ids" bigint[] NOT NULL,
	"content_hashes" text[] NOT NULL
);
--> statement-breakpoint
CREATE TABLE "recipient_count" (
	"commune_id" integer NOT NULL,
	"campaign_id" integer NOT NULL,
	"status" text NOT NULL,
	"route" text NOT NULL,
	"class" text DEFAULT '' NOT NULL,
	"n" integer NOT NULL,
	CONSTRAINT "recipient_count_commune_id_campaign_id_status_route_class_pk" PRIMARY KEY("commune_id","campaign_id","status","route","class")
);
--> statement-breakpoint
CREATE TABLE "village_notice" (
	"commune_id" bigint NOT NULL,
	"campaign_id" integer NOT NULL,
	"village_id" bigint NOT NULL,
	"leader_contact_id" bigint NOT NULL,
	"people" integer NOT NULL,
	"outbound_message_id" bigint,
	"sent_at" timestamp with time zone,
	"forwarded_at" timestamp with time zone,
	CONSTRAINT "village_notice_campaign_id_village_id_pk" PRIMARY KEY("campaign_id","village_id")
);
--> statement-breakpoint
CREATE INDEX "campaign_commune" ON "campaign" USING btree ("commune_id","id");--> statement-breakpoint
CREATE INDEX "campaign_open" ON "campaign" USING btree ("state") WHERE state IN ('scheduled', 'running', 'paused');--> statement-breakpoint
CREATE INDEX "recipient_later" ON "recipient" USING btree ("account_id","not_before") WHERE not_before IS NOT NULL;--> statement-breakpoint
CREATE INDEX "recipient_batch_campaign" ON "recipient_batch" USING btree ("campaign_id");--> statement-breakpoint
-- Room in every page for the new version of a row when its result is recorded
ALTER TABLE "recipient" SET (fillfactor = 75);--> statement-breakpoint
-- Hot and tiny: rewritten many times a second
ALTER TABLE "pace_bucket" SET (fillfactor = 50);--> statement-breakpoint
ALTER TABLE "recipient_count" SET (fillfactor = 50);--> statement-breakpoint
ALTER TABLE "campaign_lane" SET (fillfactor = 50);
