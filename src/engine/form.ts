import type { CriteriaQuestion, CriteriaSet } from '../model/criteria.ts'
import type { FormState } from './session.ts'

// A form by itself: which question comes next. It knows nothing of flows and says nothing.

/** Questions in the order they are asked and counted ("Câu 3/10"); computed ones are not asked. */
export const askedQuestions = (set: CriteriaSet): CriteriaQuestion[] => set.questions.filter((question) => question.source === 'asked')

export const questionNumber = (set: CriteriaSet, key: string): number =>
  askedQuestions(set).findIndex((question) => question.key === key) + 1

/** A form at its first question without an answer; at the read-back when all have one. */
export function openForm(set: CriteriaSet, answers: Record<string, string> = {}): FormState {
  const form: FormState = { set: set.id, answers, at: null, skipped: [], revisited: [], confirmed: false }
  moveOn(set, form)
  return form
}

export const isComplete = (set: CriteriaSet, form: FormState): boolean =>
  askedQuestions(set).every((question) => form.answers[question.key] !== undefined)

/** What an answer did to other questions: answered them too, or took back what the answer before it had said of them. */
export type Consequences = { answered: [question: string, option: string][]; withdrawn: string[] }

/** Puts an answer in force, with what it says of other questions. */
export function putAnswer(set: CriteriaSet, form: FormState, question: string, option: string): Consequences {
  const before = form.answers[question]
  const withdrawn = before === option ? [] : alsoOf(set, question, before).filter(([key, implied]) => form.answers[key] === implied)
  for (const [key] of withdrawn) delete form.answers[key]
  keep(form, question, option)
  const answered = alsoOf(set, question, option).filter(([key]) => form.answers[key] === undefined)
  for (const [key, implied] of answered) keep(form, key, implied)
  return { answered, withdrawn: withdrawn.flatMap(([key]) => (form.answers[key] === undefined ? [key] : [])) }
}

function keep(form: FormState, question: string, option: string): void {
  form.answers[question] = option
  form.skipped = form.skipped.filter((key) => key !== question)
  form.revisited = form.revisited.filter((key) => key !== question)
}

function alsoOf(set: CriteriaSet, question: string, option: string | undefined): [string, string][] {
  const chosen = set.questions.find((item) => item.key === question)?.options.find((item) => item.key === option)
  return Object.entries(chosen?.also ?? {})
}

/** Stands where an edit began, else at the first question without an answer; those put aside come last. Else at the read-back. */
export function moveOn(set: CriteriaSet, form: FormState): void {
  const { back } = form
  delete form.back
  const open = askedQuestions(set).filter((question) => form.answers[question.key] === undefined)
  const next =
    open.find((question) => question.key === back) ??
    open.find((question) => !form.skipped.includes(question.key) && !form.revisited.includes(question.key)) ??
    open.find((question) => form.skipped.includes(question.key)) ??
    open[0]
  stand(form, next?.key ?? null)
}

/** Puts the open question aside: it is asked once more at the end, then it waits. `stays`: there is no other to go on with. */
export function putAside(set: CriteriaSet, form: FormState): 'moved' | 'waits' | 'stays' {
  const { at } = form
  if (at === null) return 'stays'
  if (form.answers[at] !== undefined) {
    // The change is given up; the answer stays in force
    moveOn(set, form)
    return 'moved'
  }
  const isSecondTime = form.revisited.includes(at)
  if (!isSecondTime && !form.skipped.includes(at)) form.skipped.push(at)
  const open = askedQuestions(set).filter((question) => form.answers[question.key] === undefined && question.key !== at)
  if (open.length === 0) {
    delete form.back
    stand(form, at)
    return 'stays'
  }
  if (!isSecondTime) {
    moveOn(set, form)
    return 'moved'
  }
  delete form.back
  const after = open.find((question) => questionNumber(set, question.key) > questionNumber(set, at))
  stand(form, (open.find((question) => !form.revisited.includes(question.key)) ?? after ?? open[0])?.key ?? at)
  return 'waits'
}

function stand(form: FormState, question: string | null): void {
  form.at = question
  if (question === null || !form.skipped.includes(question)) return
  form.skipped = form.skipped.filter((key) => key !== question)
  form.revisited.push(question)
}

/** Opens question `key` for another answer; afterwards one is back where one was. */
export function openQuestion(form: FormState, key: string): void {
  if (form.at === key) return
  if (form.back === undefined) form.back = form.at
  form.at = key
}

/** Key of question number `n`, if it has been answered, put aside or is open. */
export function reachedQuestion(set: CriteriaSet, form: FormState, n: number): string | undefined {
  const key = askedQuestions(set)[n - 1]?.key
  if (key === undefined) return undefined
  const isReached = form.answers[key] !== undefined || form.skipped.includes(key) || form.revisited.includes(key) || form.at === key
  return isReached ? key : undefined
}
