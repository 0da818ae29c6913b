import { type CriteriaSet, criteriaTextKey } from '../model/criteria.ts'
import type { TextRef } from '../model/text.ts'
import type { Node } from './flow.ts'
import { leaveForm, prompt, type Run } from './step.ts'

type FormNode = Extract<Node, { kind: 'form' }>

/** The criteria set of the form somebody is in or has just left. */
export function formSet(run: Run): CriteriaSet | undefined {
  return run.session.form ? run.loaded.sets.get(run.session.form.set) : undefined
}

export function questionText(run: Run, question: string, part: string): TextRef {
  return { key: criteriaTextKey(run.session.form?.set ?? '', question, part) }
}

/** Opens the form at its first question without an answer, or goes on where it stood. False when the flow names no set for this person. */
export function enterForm(run: Run, node: FormNode): boolean {
  const { session, loaded } = run
  const id = node.set.of[String(session.vars[node.set.by])]
  const set = id === undefined ? undefined : loaded.sets.get(id)
  if (!set || id === undefined) return false
  if (session.form?.set !== id || session.form.confirmed) {
    session.form = {
      set: id,
      answers: session.form?.set === id ? session.form.answers : {},
      at: null,
      skipped: [],
      revisited: [],
      confirmed: false,
    }
    session.form.at = nextQuestion(run) ?? null
  }
  return true
}

/** Takes an answer to the open question, or puts the question aside for an officer's help, and moves on. */
export function formInput(run: Run, node: FormNode, input: { type: 'option'; key: string } | { type: 'skip' }): void {
  const { session } = run
  const form = session.form
  const set = formSet(run)
  if (!form || !set || form.at === null) return prompt(run)
  const question = set.questions.find((item) => item.key === form.at)
  if (!question) return prompt(run)

  if (input.type === 'option') {
    if (!question.options.some((option) => option.key === input.key)) return prompt(run)
    setAnswer(run, question.key, input.key)
    run.effects.push({ type: 'note', text: { key: 'engine.noted', params: { answer: questionText(run, question.key, input.key) } } })
  } else {
    if (form.revisited.includes(question.key)) return prompt(run, { key: 'engine.parked' })
    if (!form.skipped.includes(question.key)) form.skipped.push(question.key)
    run.effects.push({ type: 'note', text: { key: 'engine.person_asked_next' } })
  }
  if (form.back !== undefined) {
    form.at = form.back
    delete form.back
    if (form.at !== null && form.answers[form.at] !== undefined) form.at = nextQuestion(run) ?? null
  } else {
    form.at = nextQuestion(run) ?? null
  }
  prompt(run)
  void node
}

/** The read-back was answered: right, or something is to be changed. */
export function reviewAnswer(run: Run, node: FormNode, key: string): void {
  const { session } = run
  if (key === 'dung' && session.form) {
    session.form.confirmed = true
    return leaveForm(run, node)
  }
  session.pending = { type: 'edit' }
  prompt(run)
}

export function setAnswer(run: Run, question: string, option: string): void {
  const form = run.session.form
  if (!form) return
  form.answers[question] = option
  form.skipped = form.skipped.filter((key) => key !== question)
  run.effects.push({ type: 'answer', question, option })
}

/** Key of question number `n` as it is counted in "Câu n/10", if it has been answered, put aside or is open. */
export function editTarget(run: Run, n: number): string | undefined {
  const form = run.session.form
  const set = formSet(run)
  if (!form || !set) return undefined
  const question = set.questions.filter((item) => item.source === 'asked')[n - 1]
  if (!question) return undefined
  const reached = form.answers[question.key] !== undefined || form.skipped.includes(question.key) || form.at === question.key
  return reached ? question.key : undefined
}

/** First question without an answer; those put aside come last, and only once. */
function nextQuestion(run: Run): string | undefined {
  const form = run.session.form
  const set = formSet(run)
  if (!form || !set) return undefined
  const open = set.questions.filter((question) => question.source === 'asked' && form.answers[question.key] === undefined)
  const fresh = open.find((question) => !form.skipped.includes(question.key))
  if (fresh) return fresh.key
  const aside = open[0]
  if (!aside) return undefined
  form.skipped = form.skipped.filter((key) => key !== aside.key)
  if (!form.revisited.includes(aside.key)) form.revisited.push(aside.key)
  return aside.key
}
