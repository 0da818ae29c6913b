import { parse } from 'csv-parse/sync'
import { z } from 'zod'
import { type Book, GROUPS } from './book.ts'
import type { FormPlan } from './people.ts'
import type { Life } from './person.ts'

const Row = z.object({
  channel: z.string(),
  channel_user_id: z.string(),
  person: z.string(),
  birth_year: z.coerce.number(),
  village_code: z.string(),
  title: z.enum(['CDHT', 'GDHT']),
  question: z.string(),
  option: z.string(),
  points: z.string(),
  helper: z.string(),
  answered_at: z.string(),
})
type Row = z.infer<typeof Row>

export type Verdict = {
  /** Answers that should be there. */
  expected: number
  /** One sentence for each answer that is missing, different, doubled or nobody's. */
  wrong: string[]
  /** One sentence for each figure of the tally that is not what the answers say. */
  miscounted: string[]
}

export function readAnswers(csv: string): Row[] {
  return z.array(Row).parse(parse(csv, { columns: true, bom: true, skip_empty_lines: true }))
}

/** Compares what people meant with what stands in the export. */
export function judgeAnswers(book: Book, lives: readonly Life[], rows: readonly Row[]): { expected: number; wrong: string[] } {
  const wrong: string[] = []
  let expected = 0
  const byPerson = Map.groupBy(rows, (row) => `${row.channel} ${row.channel_user_id}`)
  for (const life of lives) {
    const { plan } = life
    const found = byPerson.get(`${life.channel} ${life.userId}`) ?? []
    const say = (sentence: string) => wrong.push(`person ${plan.index} (${plan.name}): ${sentence}`)
    if (plan.kind !== 'citizen') {
      if (found.length > 0) say(`gave no answers (${plan.kind}), yet ${found.length} are exported`)
      continue
    }
    const forms = life.end === 'finished' ? [plan.citizen, ...(plan.family ? [plan.family] : [])] : []
    for (const form of forms) {
      const { title } = book.set(form.set)
      expected += Object.keys(form.answers).length
      compareForm(
        book,
        form,
        found.filter((row) => row.title === title),
        say,
      )
    }
    for (const row of found) {
      if (row.birth_year !== plan.birthYear) say(`birth year ${row.birth_year} instead of ${plan.birthYear} at ${row.question}`)
      if (row.village_code !== plan.village.code) say(`village ${row.village_code} instead of ${plan.village.code} at ${row.question}`)
      if (row.helper !== '') say(`answered alone, yet ${row.question} names a helper`)
      if (/\p{L}/u.test(row.person) && row.person.includes(' ') && row.person !== plan.name)
        say(`is called ${row.person} at ${row.question}`)
    }
  }
  return { expected, wrong }
}

function compareForm(book: Book, form: FormPlan, rows: readonly Row[], say: (sentence: string) => void): void {
  const set = book.set(form.set)
  const byQuestion = Map.groupBy(rows, (row) => keyOf(row.question))
  for (const question of set.questions) {
    const found = byQuestion.get(question.key) ?? []
    byQuestion.delete(question.key)
    if (!question.asked) continue
    const meant = form.answers[question.key]!
    const points = question.options.find((option) => option.key === meant)?.points
    if (found.length !== 1) say(`${question.key} stands ${found.length} times instead of once (${meant})`)
    for (const row of found) {
      if (row.option !== meant) say(`${question.key} is ${row.option} instead of ${meant}`)
      else if (row.points !== (points === null || points === undefined ? '' : String(points)))
        say(`${question.key} has ${row.points} points instead of ${points}`)
    }
  }
  for (const [question, found] of byQuestion) say(`${found.length} answers to ${question}, which is not in ${form.set}`)
}

/** What the export alone says, in the words of the tally. */
export type Recount = {
  /** Who finished and who passes by their own answers, by title and village; the whole commune under an empty village. */
  states: Map<string, { finished: number; selfPassed: number }>
  /** Answers of citizens by `question option`. */
  options: Map<string, number>
}

/** An answered but unconfirmed form cannot be told from a confirmed one here: where a trial leaves such forms, `finished` is too high. */
export function recount(book: Book, rows: readonly Row[]): Recount {
  const states: Recount['states'] = new Map()
  const options: Recount['options'] = new Map()
  for (const row of rows) {
    const key = `${keyOf(row.question)} ${row.option}`
    if (row.title === 'CDHT') options.set(key, (options.get(key) ?? 0) + 1)
  }
  const forms = Map.groupBy(rows, (row) => [row.title, row.channel_user_id, row.person, row.birth_year, row.village_code].join('|'))
  for (const form of forms.values()) {
    const { title, village_code } = form[0]!
    const set = title === 'CDHT' ? citizenSet(book, form) : book.set('gdht.1')
    const asked = set?.questions.filter((question) => question.asked) ?? []
    const answered = new Set(form.map(({ question }) => keyOf(question)))
    if (!set || !asked.every(({ key }) => answered.has(key))) continue
    for (const place of ['', village_code]) {
      const key = `${title} ${place}`
      const counted = states.get(key) ?? { finished: 0, selfPassed: 0 }
      counted.finished++
      if (title === 'CDHT' && passes(set.pass, form)) counted.selfPassed++
      states.set(key, counted)
    }
  }
  return { states, options }
}

const keyOf = (question: string) => question.split(/[./]/).at(-1)!

function citizenSet(book: Book, form: readonly Row[]) {
  const has = (id: string) =>
    form.every((row) =>
      book
        .set(id)
        .questions.some((question) => question.key === keyOf(row.question) && question.options.some((option) => option.key === row.option)),
    )
  return Object.values(GROUPS)
    .map((id) => ({ id, fits: has(id) }))
    .filter(({ fits }) => fits)
    .map(({ id }) => book.set(id))[0]
}

function passes(rule: { total: number; min_each: number }, form: readonly Row[]): boolean {
  const points = form.map((row) => Number(row.points))
  return points.reduce((sum, one) => sum + one, 0) >= rule.total && points.every((one) => one >= rule.min_each)
}

const Share = z.object({ x: z.number() })
export const TallyJson = z.object({
  citizens: z.object({ finished: Share, self_passed: Share }),
  families: z.object({ finished: Share }),
})
export const TallyBy = z.object({
  rows: z.array(z.object({ key: z.string(), name: z.string().optional(), figures: z.record(z.string(), z.number()) })),
})

/** The tally's figures beside the recount: one sentence for each that differs. */
export function judgeTally(
  { states, options }: Recount,
  tally: { all: z.infer<typeof TallyJson>; byVillage: z.infer<typeof TallyBy>; byQuestion: z.infer<typeof TallyBy> },
): string[] {
  const miscounted: string[] = []
  const compare = (what: string, kept: number, counted: number) => {
    if (kept !== counted) miscounted.push(`${what}: the tally says ${kept}, the answers say ${counted}`)
  }
  const none = { finished: 0, selfPassed: 0 }
  const { citizens, families } = tally.all
  compare('citizens who finished', citizens.finished.x, (states.get('CDHT ') ?? none).finished)
  compare('citizens who pass', citizens.self_passed.x, (states.get('CDHT ') ?? none).selfPassed)
  compare('families that finished', families.finished.x, (states.get('GDHT ') ?? none).finished)
  for (const { key, figures } of tally.byVillage.rows) {
    const counted = states.get(`CDHT ${key}`) ?? none
    compare(`${key} finished`, figures.finished ?? 0, counted.finished)
    compare(`${key} pass`, figures.self_passed ?? 0, counted.selfPassed)
  }
  const left = new Map(options)
  for (const { key, figures } of tally.byQuestion.rows) {
    for (const [option, kept] of Object.entries(figures)) {
      compare(`${key} ${option}`, kept, left.get(`${key} ${option}`) ?? 0)
      left.delete(`${key} ${option}`)
    }
  }
  for (const [key, counted] of left) compare(key, 0, counted)
  return miscounted
}
