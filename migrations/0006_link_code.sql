CREATE TABLE "link_code" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "link_code_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"commune_id" bigint NOT NULL,
	"person_id" bigint NOT NULL,
	"contact_id" bigint NOT NULL,
	"code_hash" text NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"used_at" timestamp with time zone,
	"used_by_contact_id" bigint,
	CONSTRAINT "link_code_code_hash_unique" UNIQUE("code_hash")
);
