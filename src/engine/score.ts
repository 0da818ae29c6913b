import type { CriteriaOption, CriteriaQuestion, CriteriaSet } from '../model/criteria.ts'

export type PassRule = { total: number; min_each: number; min_citizens: number }

export type Score = {
  /** Points, rescaled where the set says so, rounded half up. */
  total: number
  maxTotal: number
  answered: number
  /** Questions that count for this subject. */
  asked: number
  complete: boolean
  passed: boolean
  /** Points still missing to the pass total; 0 when reached. */
  missing: number
  /** Question keys by points, fewest first; only those that could give more. */
  lowest: string[]
  flags: string[]
  /** Option chosen for each computed question. */
  computed: Record<string, string>
}

/**
 * The result of a form. `figures.citizens` and `figures.adults` decide computed questions; without them a computed question is unanswered.
 * A rule from the settings replaces the set's own.
 */
export function score(
  set: CriteriaSet,
  answers: Readonly<Record<string, string>>,
  figures: { citizens?: number; adults?: number } = {},
  rule: PassRule = set.pass,
): Score {
  const computed: Record<string, string> = {}
  let sum = 0
  let countedMax = 0
  let answered = 0
  let uncounted = 0
  let min = Number.POSITIVE_INFINITY
  const open: { key: string; points: number; gap: number }[] = []
  const points = new Map<string, number>()
  for (const question of set.questions) {
    const option = question.source === 'computed' ? computeOption(question, figures) : findOption(question, answers[question.key])
    if (!option) {
      countedMax += question.max_points
      open.push({ key: question.key, points: -1, gap: question.max_points })
      continue
    }
    answered += 1
    if (question.source === 'computed') computed[question.key] = option.key
    if (option.points === null) {
      uncounted += 1
      continue
    }
    countedMax += question.max_points
    sum += option.points
    min = Math.min(min, option.points)
    points.set(question.key, option.points)
    if (option.points < question.max_points)
      open.push({ key: question.key, points: option.points, gap: question.max_points - option.points })
  }
  const complete = answered === set.questions.length
  const total = set.pass.rescale && countedMax > 0 && uncounted > 0 ? Math.floor((sum * set.pass.max_total) / countedMax + 0.5) : sum
  const citizens = figures.citizens ?? 0
  return {
    total,
    maxTotal: set.pass.max_total,
    answered,
    asked: set.questions.length - uncounted,
    complete,
    passed: complete && total >= rule.total && min >= rule.min_each && citizens >= rule.min_citizens,
    missing: Math.max(0, rule.total - total),
    lowest: open.sort((a, b) => a.points - b.points || b.gap - a.gap).map((item) => item.key),
    flags: set.flags.filter((flag) => (points.get(flag.question) ?? -1) >= flag.min_points).map((flag) => flag.key),
    computed,
  }
}

/** Points of an answer; null where it does not count. Throws when the set has no such option: stored answers are always of their set. */
export function pointsOf(set: CriteriaSet, question: string, option: string): number | null {
  const found = findOption(
    set.questions.find((item) => item.key === question),
    option,
  )
  if (!found) throw new Error(`criteria set ${set.id} has no option ${question}:${option}`)
  return found.points
}

function findOption(question: CriteriaQuestion | undefined, key: string | undefined): CriteriaOption | undefined {
  return key === undefined ? undefined : question?.options.find((option) => option.key === key)
}

function computeOption(question: CriteriaQuestion, figures: { citizens?: number; adults?: number }): CriteriaOption | undefined {
  if (figures.citizens === undefined || !figures.adults) return undefined
  // Upwards, so that 51 % is what "more than half" begins with even for 20 of 39
  const percent = Math.min(100, Math.ceil((figures.citizens * 100) / figures.adults))
  return question.options.find((option) => percent >= (option.amount?.min ?? 0) && percent <= (option.amount?.max ?? 100))
}
