import { z } from 'zod'

/**
 * A criteria set: the questions of one title for one group, with points, legal basis and status. It is data (`flows/criteria/<id>.json`);
 * no criterion, threshold or point stands in code. Once published a file never changes: a change is a new version with a `mapping`.
 */

/** A short name inside a set: stable, ASCII, fits a Telegram callback (64 bytes hold session, question and option). */
export const Key = z.string().regex(/^[a-z][a-z0-9_]{0,23}$/, 'a key is a-z, 0-9 and _, starts with a letter, at most 24 characters')

/** Whose words these are: the decision's own, only the subject is the decision's, an older decision's, or ours. */
const Origin = z.enum(['official', 'official_subject', 'official_2015', 'proposed'])

/** The share of a count an option stands for, e.g. "2–3 buổi" is { min: 2, max: 3 }; bounds are inclusive, an absent one is open. */
const Amount = z.object({ min: z.number().int().nonnegative().optional(), max: z.number().int().nonnegative().optional() }).strict()

export const CriteriaOption = z
  .object({
    key: Key,
    /** Points of the answer; null where the question does not count for this household (no school-age child). */
    points: z.number().int().min(0).max(100).nullable(),
    /** Only on counting questions: which amounts this option covers. */
    amount: Amount.optional(),
    /** Other ways people say this very answer, without polite frames; matched as `lib/understand.ts` documents. */
    phrases: z.array(z.string().min(1)).default([]),
    /** What this answer says of other questions: they are answered so too, unless they have an answer. Changed, it takes those back. */
    also: z.record(Key, Key).optional(),
  })
  .strict()

export const CriteriaQuestion = z
  .object({
    key: Key,
    /** The official subject of the indicator, in Vietnamese. */
    indicator: z.string().min(1),
    /** Heading the question belongs to (competence of the citizen, criterion of the family). */
    section: z.string().min(1),
    origin: z.object({ subject: Origin, wording: Origin, points: Origin }).strict(),
    max_points: z.number().int().min(1).max(100),
    /** What is counted, when the answer is an amount ("buổi"): makes a bare figure ambiguous between option number and amount. */
    counts: z.string().optional(),
    /** Asked of the person, or computed from other records (a family's share of learning citizens). */
    source: z.enum(['asked', 'computed']).default('asked'),
    /** For a computed question: which figure decides among the options, by `amount` as percent of adults. */
    computed_from: z.enum(['citizens_share']).optional(),
    options: z.array(CriteriaOption).min(2).max(6),
  })
  .strict()

/** How an older version's answers are read in this one. Absent questions and options map to themselves; null means "ask again". */
const CriteriaMapping = z
  .object({
    from: z.string(),
    questions: z.record(Key, Key.nullable()).default({}),
    /** By the OLD question key: old option key → new option key, null = ask again. */
    options: z.record(Key, z.record(Key, Key.nullable())).default({}),
  })
  .strict()

export const CriteriaSet = z
  .object({
    /** `<name>.<version>`, also the file's name, e.g. `cdht-g1.1`. */
    id: z.string().regex(/^[a-z0-9-]+\.[0-9]+$/),
    title: z.enum(['CDHT', 'GDHT']),
    /** Group of people it is for (facts 4.1); absent for a household's title. */
    group: z.union([z.literal(1), z.literal(2), z.literal(3)]).optional(),
    legal_basis: z.array(z.string()).min(1),
    /** `proposed` is printed wherever the set is shown to an officer, until `criteria approve` records who approved it, when and by what paper. */
    status: z.enum(['official', 'proposed', 'approved']),
    note: z.string().optional(),
    /** `total`/`min_each` in points; `rescale`: a title whose uncounted questions are left out is scaled back to `max_total`, rounded half up. */
    pass: z
      .object({
        total: z.number(),
        min_each: z.number(),
        max_total: z.number(),
        rescale: z.boolean().default(false),
        /** GDHT: at least this many learning citizens in the family. */
        min_citizens: z.number().int().nonnegative().default(0),
      })
      .strict(),
    /** Derived flags counted by the targets, e.g. digital_basic when question `cntt` has at least 8 points. */
    flags: z.array(z.object({ key: Key, question: Key, min_points: z.number() }).strict()).default([]),
    questions: z.array(CriteriaQuestion).min(1).max(100),
    mapping: z.array(CriteriaMapping).default([]),
  })
  .strict()

export type CriteriaSet = z.infer<typeof CriteriaSet>
export type CriteriaQuestion = z.infer<typeof CriteriaQuestion>
export type CriteriaOption = z.infer<typeof CriteriaOption>

/**
 * Text keys of a set, by convention (so texts stay in `locales/`):
 *   <id>.<question>.ask        the question                         ≤ 300 characters
 *   <id>.<question>.<option>   an option                            ≤ 80 characters
 *   <id>.<question>.example    what the question means, with an example, for "nghĩa là gì?"
 *   <id>.<question>.simple     the same question in simpler words, after two misses
 *   <id>.<question>.short      three to five words for read-backs and reports ("đọc báo, nghe đài")
 *   <id>.<question>.advice     one useful next step when this is among the lowest
 *   <id>.<question>.evidence   what the person may tell or show, optional
 * where <id> is the set's id with `.` replaced by `-`, e.g. `cdht-g1-1.doc_cap_nhat.ask`.
 */
export function criteriaTextKey(setId: string, question: string, part: string): string {
  return `${setId.replaceAll('.', '-')}.${question}.${part}`
}
