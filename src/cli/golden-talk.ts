import { z } from 'zod'

/** A recorded conversation, kept as a test: what was written, and what a person read. The first line is the bot's alone. */
export const GoldenTalk = z
  .object({
    head: z
      .object({
        flow: z.string(),
        group: z.union([z.literal(1), z.literal(2), z.literal(3)]),
        language: z.enum(['vi', 'en']),
        /** The day it is; years and ages depend on it. */
        now: z.string(),
      })
      .strict(),
    lines: z.array(z.object({ person: z.string().optional(), bot: z.array(z.string()) }).strict()).min(1),
  })
  .strict()
export type GoldenTalk = z.infer<typeof GoldenTalk>

export const printGolden = (talk: GoldenTalk): string => `${JSON.stringify(talk, null, 2)}\n`
