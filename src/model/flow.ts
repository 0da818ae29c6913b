import { z } from 'zod'
import { Key } from './criteria.ts'

/**
 * A flow: one conversation as data (`flows/<id>.<version>.json`). Published files never change; a change is a new version.
 * Texts stand in `locales/` under `<flow>.<node>.ask`, `<flow>.<node>.<option>`, `<flow>.<node>.say`; the questions of a form under
 * the keys of its criteria set (model/criteria.ts).
 */

const Var = z.union([z.string(), z.number(), z.boolean()])
export type Var = z.infer<typeof Var>

const Choice = z.object({ key: Key, next: Key.optional(), edit: Key.optional(), phrases: z.array(z.string()).default([]) }).strict()

const Test = z
  .object({
    var: z.string(),
    in: z.array(Var).optional(),
    lt: z.number().optional(),
    gte: z.number().optional(),
    set: z.boolean().optional(),
  })
  .strict()
export type Test = z.infer<typeof Test>

/** What an ask node takes. Free inputs are read by the conversation (villages from the register) and arrive as a value. */
const AskInput = z.discriminatedUnion('type', [
  /** `edit` on a choice: ask that node again, then go on to the next of this one. */
  z.object({ type: z.literal('choice'), options: z.array(Choice).min(2).max(9) }).strict(),
  z.object({ type: z.literal('village') }).strict(),
  z.object({ type: z.literal('name') }).strict(),
  z.object({ type: z.literal('birth_year') }).strict(),
  /**
   * One of a list the conversation makes (people, languages), by number, name or button, or one of `also`, whose key is then the value.
   * `tap`: that one has a button too, after those of the list; with a test, only while it holds.
   */
  z
    .object({
      type: z.literal('listed'),
      from: z.enum(['people_to_help', 'voice_languages']),
      also: z
        .array(
          z.object({ key: Key, phrases: z.array(z.string().min(1)).min(1), tap: z.union([z.literal(true), Test]).optional() }).strict(),
        )
        .default([]),
    })
    .strict(),
  z.object({ type: z.literal('count'), min: z.number().int(), max: z.number().int() }).strict(),
  /** Any words, kept as written. `media`: a picture or file may be sent instead, whose place on disk is the value. */
  z.object({ type: z.literal('text'), max: z.number().int(), media: z.boolean().default(false) }).strict(),
])
export type AskInput = z.infer<typeof AskInput>

const base = { id: Key }
const Node = z.discriminatedUnion('kind', [
  /** Says something and goes on. */
  z.object({ ...base, kind: z.literal('say'), next: Key }).strict(),
  /** Asks one thing, keeps it in `var`. `settled`: once answered, a late tap does not change it. */
  z.object({ ...base, kind: z.literal('ask'), var: z.string(), input: AskInput, next: Key, settled: z.boolean().default(false) }).strict(),
  /** Goes where the first test that holds says. */
  z.object({ ...base, kind: z.literal('branch'), cases: z.array(z.object({ when: Test, next: Key }).strict()).min(1), else: Key }).strict(),
  /** Has the conversation do something (store consent, register, open a nomination) and goes on with what it returns. */
  z.object({ ...base, kind: z.literal('do'), action: z.string(), args: z.record(z.string(), Var).default({}), next: Key }).strict(),
  /** Asks all questions of a criteria set, reads the answers back, lets any be changed, and goes on once confirmed. */
  z
    .object({
      ...base,
      kind: z.literal('form'),
      set: z.object({ by: z.string(), of: z.record(z.string(), z.string()) }).strict(),
      next: Key,
    })
    .strict(),
  /** Ends; `next_flow` starts in the same turn. */
  z.object({ ...base, kind: z.literal('end'), outcome: z.string(), next_flow: z.string().optional() }).strict(),
])
export type Node = z.infer<typeof Node>

export const FlowFile = z
  .object({
    id: z.string().regex(/^[a-z][a-z0-9-]{0,31}$/),
    version: z.number().int().min(1),
    start: Key,
    /** Whoever is inside an older version is moved to this one; by default they finish on theirs. */
    must_move: z.boolean().default(false),
    /** Nodes of older versions that have another name here. */
    nodes_from: z.record(Key, Key).default({}),
    /** For officers at their work: whoever is not understood hears how to go on or get out, and nobody is asked to help them. */
    staff: z.boolean().default(false),
    /**
     * One of these takes the person out, by way of `next`: said where a name, year, place or number is asked, or where none of the
     * choices is meant by it; never at a question of a form.
     */
    leave: z
      .object({ phrases: z.array(z.string().min(1)).min(1), next: Key })
      .strict()
      .optional(),
    nodes: z.array(Node).min(1),
  })
  .strict()
export type FlowFile = z.infer<typeof FlowFile>
