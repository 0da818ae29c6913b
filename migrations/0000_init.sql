CREATE TABLE "account" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "account_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"commune_id" bigint NOT NULL,
	"channel" text NOT NULL,
	"external_id" text NOT NULL,
	"app_id" text,
	"secrets_enc" "bytea" NOT NULL,
	"traits" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"paused_class" text,
	"paused_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "account_token" (
	"account_id" bigint PRIMARY KEY NOT NULL,
	"commune_id" bigint NOT NULL,
	"pair_enc" "bytea" NOT NULL,
	"previous_pair_enc" "bytea",
	"generation" integer DEFAULT 0 NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"refreshed_at" timestamp with time zone NOT NULL,
	"dead_class" text,
	"dead_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "answer" (
	"commune_id" bigint NOT NULL,
	"nomination_id" bigint NOT NULL,
	"question" text NOT NULL,
	"criteria_set" text NOT NULL,
	"option" text NOT NULL,
	"points" smallint,
	"contact_id" bigint,
	"source" text NOT NULL,
	"helper_person_id" bigint,
	"event_order" bigint DEFAULT 0 NOT NULL,
	"answered_at" timestamp with time zone NOT NULL,
	CONSTRAINT "answer_commune_id_nomination_id_question_pk" PRIMARY KEY("commune_id","nomination_id","question")
);
--> statement-breakpoint
CREATE TABLE "answer_history" (
	"id" bigint GENERATED ALWAYS AS IDENTITY (sequence name "answer_history_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"commune_id" bigint NOT NULL,
	"nomination_id" bigint NOT NULL,
	"question" text NOT NULL,
	"criteria_set" text NOT NULL,
	"option" text NOT NULL,
	"points" smallint,
	"source" text NOT NULL,
	"helper_person_id" bigint,
	"answered_at" timestamp with time zone NOT NULL,
	"replaced_at" timestamp with time zone NOT NULL,
	CONSTRAINT "answer_history_commune_id_nomination_id_id_pk" PRIMARY KEY("commune_id","nomination_id","id")
);
--> statement-breakpoint
CREATE TABLE "audit" (
	"id" bigint GENERATED ALWAYS AS IDENTITY (sequence name "audit_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"commune_id" bigint NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"actor" text NOT NULL,
	"action" text NOT NULL,
	"subject" text,
	"detail" jsonb,
	CONSTRAINT "audit_commune_id_id_pk" PRIMARY KEY("commune_id","id")
);
--> statement-breakpoint
CREATE TABLE "consent" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "consent_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"commune_id" bigint NOT NULL,
	"contact_id" bigint NOT NULL,
	"person_id" bigint,
	"text_version" text NOT NULL,
	"decision" text NOT NULL,
	"channel" text NOT NULL,
	"helper_person_id" bigint,
	"decided_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "contact" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "contact_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"commune_id" bigint NOT NULL,
	"account_id" bigint NOT NULL,
	"channel_user_id" text NOT NULL,
	"person_id" bigint,
	"language" text DEFAULT 'vi' NOT NULL,
	"voice_language_enc" "bytea",
	"came_by_unit_id" bigint,
	"follows" boolean,
	"first_seen_at" timestamp with time zone NOT NULL,
	"last_inbound_at" timestamp with time zone NOT NULL,
	"stopped_at" timestamp with time zone,
	"unreachable_class" text,
	"erased_at" timestamp with time zone,
	"staff_until" timestamp with time zone,
	"wrong_codes" smallint DEFAULT 0 NOT NULL,
	"wrong_code_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "household" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "household_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"commune_id" bigint NOT NULL,
	"village_id" bigint NOT NULL,
	"head_person_id" bigint,
	"head_name" text,
	"head_name_key" text,
	"adults" smallint,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "imported_token" (
	"account_id" bigint NOT NULL,
	"commune_id" bigint NOT NULL,
	"token_hash" text NOT NULL,
	"imported_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "imported_token_account_id_token_hash_pk" PRIMARY KEY("account_id","token_hash")
);
--> statement-breakpoint
CREATE TABLE "inbound_event" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "inbound_event_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"commune_id" bigint NOT NULL,
	"account_id" bigint NOT NULL,
	"contact_id" bigint NOT NULL,
	"dedupe_key" text NOT NULL,
	"kind" text NOT NULL,
	"body_enc" "bytea",
	"at" timestamp with time zone NOT NULL,
	"chat_order" bigint NOT NULL,
	"received_at" timestamp with time zone NOT NULL,
	"handled_at" timestamp with time zone,
	"attempts" smallint DEFAULT 0 NOT NULL,
	"failed_class" text
);
--> statement-breakpoint
CREATE TABLE "installation" (
	"key" text PRIMARY KEY NOT NULL,
	"value" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "invitation" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "invitation_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"commune_id" bigint NOT NULL,
	"unit_id" bigint NOT NULL,
	"role" text NOT NULL,
	"code_hash" text NOT NULL,
	"invited_by_contact_id" bigint,
	"created_at" timestamp with time zone NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"used_at" timestamp with time zone,
	"used_by_contact_id" bigint,
	CONSTRAINT "invitation_code_hash_unique" UNIQUE("code_hash")
);
--> statement-breakpoint
CREATE TABLE "nomination" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "nomination_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"commune_id" bigint NOT NULL,
	"village_id" bigint NOT NULL,
	"year" smallint NOT NULL,
	"title" text NOT NULL,
	"subject_id" bigint NOT NULL,
	"group_no" smallint,
	"status" text NOT NULL,
	"criteria_set" text NOT NULL,
	"total" integer DEFAULT 0 NOT NULL,
	"answered" smallint DEFAULT 0 NOT NULL,
	"self_passed" boolean,
	"flags" text[] DEFAULT '{}' NOT NULL,
	"helper_person_id" bigint,
	"opened_at" timestamp with time zone NOT NULL,
	"confirmed_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "outbound_message" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "outbound_message_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"commune_id" bigint NOT NULL,
	"account_id" bigint NOT NULL,
	"contact_id" bigint NOT NULL,
	"cause" text NOT NULL,
	"session_id" bigint,
	"prompt" text,
	"body_enc" "bytea",
	"status" text DEFAULT 'waiting' NOT NULL,
	"class" text,
	"attempts" smallint DEFAULT 0 NOT NULL,
	"not_before" timestamp with time zone,
	"claimed_by" integer,
	"claimed_at" timestamp with time zone,
	"platform_message_id" text,
	"chat_order" bigint,
	"created_at" timestamp with time zone NOT NULL,
	"sent_at" timestamp with time zone,
	"received_at" timestamp with time zone,
	"seen_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "person" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "person_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"commune_id" bigint NOT NULL,
	"village_id" bigint NOT NULL,
	"household_id" bigint,
	"name" text NOT NULL,
	"name_key" text NOT NULL,
	"birth_year" smallint NOT NULL,
	"address" text NOT NULL,
	"group_no" smallint NOT NULL,
	"phone_enc" "bytea",
	"phone_hash" text,
	"source" text NOT NULL,
	"registered_by" bigint,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "role_grant" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "role_grant_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"commune_id" bigint NOT NULL,
	"unit_id" bigint NOT NULL,
	"contact_id" bigint NOT NULL,
	"role" text NOT NULL,
	"granted_at" timestamp with time zone NOT NULL,
	"revoked_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "session" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "session_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"commune_id" bigint NOT NULL,
	"contact_id" bigint NOT NULL,
	"flow" text NOT NULL,
	"flow_version" integer NOT NULL,
	"status" text NOT NULL,
	"state" jsonb NOT NULL,
	"nomination_id" bigint,
	"started_at" timestamp with time zone NOT NULL,
	"updated_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "setting" (
	"unit_id" bigint NOT NULL,
	"key" text NOT NULL,
	"value" jsonb NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "setting_unit_id_key_pk" PRIMARY KEY("unit_id","key")
);
--> statement-breakpoint
CREATE TABLE "tally" (
	"commune_id" bigint NOT NULL,
	"village_id" bigint NOT NULL,
	"year" smallint NOT NULL,
	"title" text NOT NULL,
	"dimension" text NOT NULL,
	"key" text NOT NULL,
	"n" integer NOT NULL,
	CONSTRAINT "tally_commune_id_year_title_dimension_village_id_key_pk" PRIMARY KEY("commune_id","year","title","dimension","village_id","key")
);
--> statement-breakpoint
CREATE TABLE "ticket" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "ticket_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"commune_id" bigint NOT NULL,
	"village_id" bigint,
	"contact_id" bigint NOT NULL,
	"person_id" bigint,
	"kind" text NOT NULL,
	"question" text,
	"words_enc" "bytea",
	"status" text DEFAULT 'open' NOT NULL,
	"opened_at" timestamp with time zone NOT NULL,
	"first_answer_due_at" timestamp with time zone NOT NULL,
	"done_due_at" timestamp with time zone NOT NULL,
	"answered_at" timestamp with time zone,
	"answered_by" bigint,
	"closed_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "unit" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "unit_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"commune_id" bigint NOT NULL,
	"parent_id" bigint,
	"code" text NOT NULL,
	"level" text NOT NULL,
	"label" text NOT NULL,
	"name" text NOT NULL,
	"position" integer NOT NULL,
	"join_code" text,
	"predecessor_codes" text[] DEFAULT '{}' NOT NULL,
	"valid_from" timestamp with time zone,
	"valid_to" timestamp with time zone,
	"sample" boolean DEFAULT false NOT NULL,
	CONSTRAINT "unit_code_unique" UNIQUE("code"),
	CONSTRAINT "unit_join_code_unique" UNIQUE("join_code")
);
--> statement-breakpoint
CREATE UNIQUE INDEX "account_external" ON "account" USING btree ("channel","external_id");--> statement-breakpoint
CREATE INDEX "consent_contact" ON "consent" USING btree ("commune_id","contact_id");--> statement-breakpoint
CREATE UNIQUE INDEX "contact_channel_user" ON "contact" USING btree ("account_id","channel_user_id");--> statement-breakpoint
CREATE INDEX "contact_person" ON "contact" USING btree ("commune_id","person_id");--> statement-breakpoint
CREATE INDEX "household_head" ON "household" USING btree ("commune_id","village_id","head_name_key");--> statement-breakpoint
CREATE UNIQUE INDEX "inbound_event_once" ON "inbound_event" USING btree ("account_id","dedupe_key");--> statement-breakpoint
CREATE INDEX "inbound_event_waiting" ON "inbound_event" USING btree ("contact_id","chat_order","id") WHERE handled_at IS NULL;--> statement-breakpoint
CREATE INDEX "inbound_event_unhandled" ON "inbound_event" USING btree ("received_at") WHERE handled_at IS NULL;--> statement-breakpoint
CREATE UNIQUE INDEX "nomination_subject" ON "nomination" USING btree ("commune_id","year","title","subject_id");--> statement-breakpoint
CREATE INDEX "nomination_village" ON "nomination" USING btree ("commune_id","village_id","year","title");--> statement-breakpoint
CREATE INDEX "outbound_message_waiting" ON "outbound_message" USING btree ("contact_id","id") WHERE status = 'waiting';--> statement-breakpoint
CREATE INDEX "outbound_message_contact" ON "outbound_message" USING btree ("contact_id","id");--> statement-breakpoint
CREATE INDEX "outbound_message_due" ON "outbound_message" USING btree ("not_before") WHERE status = 'waiting';--> statement-breakpoint
CREATE INDEX "outbound_message_platform" ON "outbound_message" USING btree ("account_id","platform_message_id") WHERE platform_message_id IS NOT NULL;--> statement-breakpoint
CREATE INDEX "person_village" ON "person" USING btree ("commune_id","village_id","name_key");--> statement-breakpoint
CREATE INDEX "person_household" ON "person" USING btree ("commune_id","household_id");--> statement-breakpoint
CREATE UNIQUE INDEX "role_grant_once" ON "role_grant" USING btree ("contact_id","role","unit_id");--> statement-breakpoint
CREATE UNIQUE INDEX "session_active" ON "session" USING btree ("contact_id") WHERE status = 'active';--> statement-breakpoint
CREATE INDEX "session_contact" ON "session" USING btree ("commune_id","contact_id","status");--> statement-breakpoint
CREATE INDEX "ticket_open" ON "ticket" USING btree ("commune_id","status","opened_at");--> statement-breakpoint
CREATE INDEX "ticket_contact" ON "ticket" USING btree ("contact_id");--> statement-breakpoint
CREATE INDEX "unit_commune" ON "unit" USING btree ("commune_id","level","position");