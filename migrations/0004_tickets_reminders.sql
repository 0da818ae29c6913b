CREATE TABLE "digest" (
	"commune_id" bigint NOT NULL,
	"contact_id" bigint NOT NULL,
	"kind" text NOT NULL,
	"day" text NOT NULL,
	"outbound_id" bigint,
	"created_at" timestamp with time zone NOT NULL,
	CONSTRAINT "digest_commune_id_contact_id_kind_day_pk" PRIMARY KEY("commune_id","contact_id","kind","day")
);
--> statement-breakpoint
CREATE TABLE "household_step" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "household_step_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"commune_id" bigint NOT NULL,
	"village_id" bigint NOT NULL,
	"subject" text NOT NULL,
	"year" smallint NOT NULL,
	"act" text NOT NULL,
	"by_contact_id" bigint NOT NULL,
	"at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "reminder" (
	"commune_id" bigint NOT NULL,
	"rule" text NOT NULL,
	"subject" text NOT NULL,
	"due_on" text NOT NULL,
	"year" smallint NOT NULL,
	"village_id" bigint NOT NULL,
	"contact_id" bigint NOT NULL,
	"outbound_id" bigint,
	"created_at" timestamp with time zone NOT NULL,
	CONSTRAINT "reminder_commune_id_rule_subject_due_on_pk" PRIMARY KEY("commune_id","rule","subject","due_on")
);
--> statement-breakpoint
CREATE TABLE "ticket_message" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "ticket_message_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"commune_id" bigint NOT NULL,
	"ticket_id" bigint NOT NULL,
	"outbound_id" bigint NOT NULL,
	"by_contact_id" bigint,
	"at" timestamp with time zone NOT NULL,
	"failure_told_at" timestamp with time zone
);
--> statement-breakpoint
ALTER TABLE "ticket" ADD COLUMN "taken_by" bigint;--> statement-breakpoint
ALTER TABLE "ticket" ADD COLUMN "taken_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "ticket" ADD COLUMN "warned_at" timestamp with time zone;--> statement-breakpoint
CREATE INDEX "household_step_subject" ON "household_step" USING btree ("commune_id","year","subject");--> statement-breakpoint
CREATE INDEX "reminder_subject" ON "reminder" USING btree ("commune_id","subject","created_at");--> statement-breakpoint
CREATE INDEX "reminder_outbound" ON "reminder" USING btree ("outbound_id");--> statement-breakpoint
CREATE INDEX "ticket_message_ticket" ON "ticket_message" USING btree ("ticket_id");--> statement-breakpoint
CREATE INDEX "ticket_message_outbound" ON "ticket_message" USING btree ("outbound_id");