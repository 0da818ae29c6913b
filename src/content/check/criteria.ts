import type { CriteriaQuestion, CriteriaSet } from '../../model/criteria.ts'
import type { Problem } from './problem.ts'

/** A set whose points add up, whose pass rule can be met, and which says where the answers of the version before it go. */
export function checkSet(file: string, set: CriteriaSet, sets: ReadonlyMap<string, CriteriaSet>): Problem[] {
  const problems: Problem[] = []
  const report = (at: string | undefined, wrong: string, remedy: string) =>
    problems.push({ file, ...(at === undefined ? {} : { at }), wrong, remedy })

  if (file !== `flows/criteria/${set.id}.json`)
    report(undefined, 'the name does not say what is in it', `call it flows/criteria/${set.id}.json`)
  for (const key of doubles(set.questions.map((question) => question.key))) report(`question ${key}`, 'stands twice', 'rename one of them')
  for (const question of set.questions) {
    const at = `question ${question.key}`
    for (const key of doubles(question.options.map((option) => option.key)))
      report(`${at}, option ${key}`, 'stands twice', 'rename one of them')
    const most = Math.max(...question.options.map((option) => option.points ?? 0))
    if (most !== question.max_points)
      report(at, `the best answer gives ${most}, max_points says ${question.max_points}`, 'make them the same')
    if (question.source === 'computed' && question.computed_from === undefined)
      report(at, 'is computed, but not from what', 'add "computed_from"')
    const amount = checkAmounts(question)
    if (amount) report(at, amount, 'let each amount belong to exactly one option')
  }
  checkAlso(set, report)
  checkSize(set, report)
  checkPass(set, report)
  for (const flag of set.flags) {
    const question = set.questions.find((item) => item.key === flag.question)
    if (!question) report(`flag ${flag.key}`, `counts the question ${flag.question}, which is not there`, 'name a question of this set')
    else if (flag.min_points > question.max_points)
      report(`flag ${flag.key}`, `wants ${flag.min_points} points of ${question.max_points}`, 'lower min_points')
  }
  checkMapping(set, sets, report)
  return problems
}

type Report = (at: string | undefined, wrong: string, remedy: string) => void

// What is kept of somebody between two messages (engine/session.ts); a part of it is names and places, not answers
const STATE_BYTES = 2_048
const OTHER_STATE_BYTES = 400

/** Keys are written out for each answer that is kept, `"key":"option",`: many questions need short ones. */
function checkSize(set: CriteriaSet, report: Report): void {
  const asked = set.questions.filter((question) => question.source === 'asked')
  const bytes = asked.reduce(
    (sum, { key, options }) => sum + key.length + Math.max(...options.map((option) => option.key.length)) + '"":"",'.length,
    OTHER_STATE_BYTES,
  )
  if (bytes > STATE_BYTES)
    report(
      'questions',
      `${asked.length} answers with keys this long need ${bytes} bytes, ${STATE_BYTES} are there`,
      'give them shorter keys',
    )
}

/** What an answer says of other questions must be answers of theirs. */
function checkAlso(set: CriteriaSet, report: Report): void {
  for (const question of set.questions) {
    for (const option of question.options) {
      for (const [key, implied] of Object.entries(option.also ?? {})) {
        const at = `question ${question.key}, option ${option.key}`
        const other = set.questions.find((item) => item.key === key)
        if (key === question.key) report(at, '"also" names its own question', 'take it out')
        else if (other?.source !== 'asked') report(at, `"also" names ${key}, which nobody is asked`, 'name a question that is asked')
        else if (!other.options.some((item) => item.key === implied))
          report(at, `"also" answers ${key} with ${implied}, which is not one of its answers`, 'name one of its answers')
      }
    }
  }
}

function checkPass({ pass, questions }: CriteriaSet, report: Report): void {
  const most = questions.reduce((sum, question) => sum + question.max_points, 0)
  if (most !== pass.max_total) report('pass', `the questions add up to ${most}, max_total says ${pass.max_total}`, 'make them the same')
  if (pass.total > pass.max_total) report('pass', `total ${pass.total} is more than can be had (${pass.max_total})`, 'lower total')
  const poorest = questions.find((question) => question.max_points < pass.min_each)
  if (poorest)
    report('pass', `min_each ${pass.min_each} cannot be reached in ${poorest.key} (${poorest.max_points} points)`, 'lower min_each')
}

// Beyond this nothing that is counted in a year differs
const HIGHEST_COUNT = 400

/** What is wrong with the amounts of a question's options; nothing when each amount belongs to one. */
function checkAmounts(question: CriteriaQuestion): string | undefined {
  const isComputed = question.computed_from !== undefined
  if (question.counts === undefined && !isComputed) {
    return question.options.some((option) => option.amount)
      ? 'options name amounts, but the question does not say what it counts'
      : undefined
  }
  for (let amount = 0; amount <= (isComputed ? 100 : HIGHEST_COUNT); amount++) {
    const covering = question.options.filter(
      ({ amount: range }) => range && amount >= (range.min ?? 0) && amount <= (range.max ?? Number.POSITIVE_INFINITY),
    )
    if (covering.length === 0) return `the amount ${amount} belongs to no option`
    if (covering.length > 1) return `the amount ${amount} belongs to ${covering.map((option) => option.key).join(' and ')}`
  }
  return undefined
}

/** Each question and option of the version before must have a place here, or be said to have none. */
function checkMapping(set: CriteriaSet, sets: ReadonlyMap<string, CriteriaSet>, report: Report): void {
  for (const mapping of set.mapping) {
    const from = sets.get(mapping.from)
    const at = `mapping from ${mapping.from}`
    if (!from) {
      report(at, 'there is no such set', 'put its file back; versions are never taken out')
      continue
    }
    for (const key of Object.keys({ ...mapping.questions, ...mapping.options })) {
      if (!from.questions.some((question) => question.key === key)) report(at, `${mapping.from} has no question ${key}`, 'take it out')
    }
    const taken = new Map<string, string>()
    for (const question of from.questions) {
      const to = mapping.questions[question.key] === undefined ? question.key : mapping.questions[question.key]
      if (to === null || to === undefined) continue
      const target = set.questions.find((item) => item.key === to)
      if (!target) {
        report(
          at,
          `question ${question.key} leads to ${to}, which is not there`,
          `say where it goes, or null: "questions": { "${question.key}": … }`,
        )
        continue
      }
      const other = taken.get(to)
      if (other !== undefined) report(at, `${other} and ${question.key} both lead to ${to}`, 'let one of them be null')
      taken.set(to, question.key)
      for (const option of question.options) {
        const known = mapping.options[question.key]?.[option.key]
        const place = known === undefined ? option.key : known
        if (place !== null && !target.options.some((item) => item.key === place)) {
          report(
            at,
            `option ${option.key} of ${question.key} leads to ${place}, which is not in ${to}`,
            `say where it goes, or null: "options": { "${question.key}": { "${option.key}": … } }`,
          )
        }
      }
    }
  }
  const [name = '', version = ''] = set.id.split('.')
  if (Number(version) === 1) return
  const before = `${name}.${Number(version) - 1}`
  if (!set.mapping.some((mapping) => mapping.from === before))
    report(
      'mapping',
      `nothing says how the answers of ${before} are read`,
      `add { "from": "${before}" }; what is the same need not be named`,
    )
}

const doubles = (keys: readonly string[]) => new Set(keys.filter((key, index) => keys.indexOf(key) < index))
