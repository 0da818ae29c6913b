import { type CriteriaSet, criteriaTextKey } from '../model/criteria.ts'
import type { TextRef } from '../model/text.ts'
import type { Effect } from './effect.ts'
import type { LoadedFlow } from './flow.ts'
import { askedQuestions, isComplete, moveOn, openForm, openQuestion, putAnswer, putAside, questionNumber, reachedQuestion } from './form.ts'
import type { Input } from './input.ts'
import { mainPrompt, OTHER_ANSWER, sideRef } from './prompt.ts'
import { type AskNode, type FormNode, fault, findQuestion, formOf, note, openRef, optionText, prompt, type Run, setVar } from './run.ts'
import type { FormState, Pending, Session } from './session.ts'
import { fillGap, goOn, leave, nextOf } from './walk.ts'

// Simpler words and an example at the second text in a row that was not understood, a person at the third; asked once, they are waited for
const MISSES_TO_SIMPLER = 2
const MISSES_TO_PERSON = 3

export type StepResult = { session: Session; effects: Effect[] }

/**
 * One step of a conversation: what came in → where the person is now, and what is to be said, stored and done.
 * Pure: the session given is not changed. Any input is allowed at any time; what does not fit is answered with the open prompt.
 */
export function step(loaded: LoadedFlow, before: Session, input: Input): StepResult {
  const run: Run = { loaded, session: structuredClone(before), effects: [] }
  const { session, effects } = run
  switch (session.waiting) {
    case 'ended':
      break
    case 'done':
      if (input.type === 'done') done(run, input)
      break
    case 'input':
      hear(run, input)
      if (session.moved && session.waiting === 'input') catchUp(run)
      break
    default:
      session.waiting satisfies never
  }
  return { session, effects }
}

function done(run: Run, input: Extract<Input, { type: 'done' }>): void {
  Object.assign(run.session.vars, input.vars)
  const node = run.loaded.nodes.get(run.session.node)
  if (node?.kind === 'do') goOn(run, node.next)
  else fault(run, run.session.node, 'nothing is done at this node')
}

/** After a move to a newer version: what is new before the place one stands at is asked now. */
function catchUp(run: Run): void {
  const { session, effects } = run
  // The side question first
  if (session.pending) return
  delete session.moved
  const asked = effects.findIndex((effect) => effect.type === 'prompt')
  if (session.comeBack === undefined && fillGap(run, session.node) && asked >= 0) effects.splice(asked, 1)
}

function hear(run: Run, input: Input): void {
  const { session, loaded } = run
  const node = loaded.nodes.get(session.node)
  if (input.type === 'start' && session.moved && fillGap(run, '')) return
  if (input.type === 'start' || (node?.kind !== 'ask' && node?.kind !== 'form')) return goOn(run, session.node)
  if (node.kind === 'form' && !formOf(run)) return fault(run, node.id, `there is no criteria set ${session.form?.set ?? 'open'}`)
  if (input.type !== 'not_understood' && input.type !== 'explain') session.misses = 0

  switch (input.type) {
    case 'option':
      return option(run, node, input.key)
    case 'value':
      return value(run, node, input)
    case 'earlier':
      return earlier(run, node, input)
    case 'which':
      return which(run, node, input.keys)
    case 'edit':
      return edit(run, node, input)
    case 'back':
      return back(run, node)
    case 'leave':
      delete session.pending
      return goOn(run, loaded.flow.leave?.next ?? session.node)
    case 'resume':
      return resume(run)
    case 'person':
      return person(run, node)
    case 'explain':
      return prompt(run, explanation(run, node), 'explained')
    case 'not_understood':
      return missed(run, node, input)
    case 'again':
    case 'done':
      return prompt(run)
    default:
      input satisfies never
  }
}

function option(run: Run, node: AskNode | FormNode, key: string): void {
  const { session } = run
  const { pending } = session
  if (pending && pending.type !== 'edit') return sideOption(run, node, pending, key)
  if (pending) return prompt(run)
  return node.kind === 'form' ? formOption(run, node, key) : choose(run, node, key)
}

/** An answer to the side question; whatever it is, that question is closed. */
function sideOption(run: Run, node: AskNode | FormNode, pending: Exclude<Pending, { type: 'edit' }>, key: string): void {
  delete run.session.pending
  switch (pending.type) {
    case 'correct':
      return key === 'doi' ? correct(run, pending) : prompt(run, { key: 'engine.kept' })
    case 'resume':
      return key === 'lam_lai' ? startOver(run, node) : prompt(run)
    case 'which':
      return key === OTHER_ANSWER ? prompt(run) : option(run, node, key)
    default:
      pending satisfies never
  }
}

function choose(run: Run, node: AskNode, key: string): void {
  const choice = node.input.type === 'choice' ? node.input.options.find((item) => item.key === key) : undefined
  if (!choice) return prompt(run)
  run.session.vars[node.var] = key
  if (choice.edit === undefined) return leave(run, choice.next ?? node.next)
  run.session.comeBack = node.next
  goOn(run, choice.edit)
}

function formOption(run: Run, node: FormNode, key: string): void {
  const open = formOf(run)
  if (!open) return prompt(run)
  const { set, form } = open
  if (form.at === null) {
    if (key === 'dung') {
      form.confirmed = true
      return leave(run, node.next)
    }
    if (key === 'sua') run.session.pending = { type: 'edit' }
    return prompt(run)
  }
  if (!findQuestion(run, form.at)?.options.some((item) => item.key === key)) return prompt(run)
  const { at } = form
  answer(run, open, { question: at, key, remark: () => note(run, 'engine.noted', { answer: optionText(run, at, key) }) })
  moveOn(set, form)
  prompt(run)
}

type Answer = { question: string; key: string /** Says what became of the answer itself. */; remark: () => void }

/** Puts an answer in force, and says which other questions it answered or opened again. True when the open question was among them. */
function answer(run: Run, { set, form }: { set: CriteriaSet; form: FormState }, { question, key, remark }: Answer): boolean {
  const { answered, withdrawn } = putAnswer(set, form, question, key)
  run.effects.push({ type: 'answer', question, option: key })
  for (const other of withdrawn) run.effects.push({ type: 'answer', question: other, option: null })
  for (const [other, option] of answered) run.effects.push({ type: 'answer', question: other, option })
  remark()
  const numbers = (keys: readonly string[]) => keys.map((other) => questionNumber(set, other)).sort((a, b) => a - b)
  if (answered.length > 0) note(run, 'engine.noted_also', { questions: numbers(answered.map(([other]) => other)).join(', ') })
  if (withdrawn.length > 0) note(run, 'engine.asked_again', { questions: numbers(withdrawn).join(', ') })
  return answered.some(([other]) => other === form.at)
}

function value(run: Run, node: AskNode | FormNode, input: Extract<Input, { type: 'value' }>): void {
  const { session } = run
  if (session.pending?.type === 'edit') return edit(run, node, { type: 'edit', number: Number(input.value) })
  if (session.pending || node.kind === 'form') return prompt(run)
  if (node.input.type === 'choice') return choose(run, node, String(input.value))
  setVar(session, node.var, input)
  leave(run, node.next)
}

/** Something said about an earlier prompt. Nothing in force is changed without a yes. */
function earlier(run: Run, node: AskNode | FormNode, input: Extract<Input, { type: 'earlier' }>): void {
  const { session } = run
  const key = String(input.key)
  if (session.pending && input.ref === sideRef(session.pending.type)) return option(run, node, key)
  if (input.ref === openRef(run, node)) {
    delete session.pending
    if (node.kind === 'form') return formOption(run, node, key)
    return value(run, node, { type: 'value', value: input.key, ...(input.label === undefined ? {} : { label: input.label }) })
  }
  const inForce = answerInForce(run, input.ref)
  if (inForce === undefined || !takes(run, input.ref, key)) {
    // Words about a prompt that can no longer be changed, e.g. the consent: remind where we are
    return input.repeat ? undefined : prompt(run)
  }
  if (inForce === key) {
    if (input.repeat) return
    return prompt(run, { key: 'engine.already', params: { answer: input.label ?? answerText(run, input.ref, key) } })
  }
  session.pending = { type: 'correct', ref: input.ref, option: input.key, ...(input.label === undefined ? {} : { label: input.label }) }
  prompt(run)
}

function answerInForce(run: Run, ref: string): string | undefined {
  const { session, loaded } = run
  const given = session.form?.answers[ref]
  if (given !== undefined) return given
  const node = loaded.nodes.get(ref)
  if (node?.kind !== 'ask' || node.settled) return undefined
  const kept = session.vars[node.var]
  return kept === undefined ? undefined : String(kept)
}

/** Whether an earlier prompt can take this answer. */
function takes(run: Run, ref: string, key: string): boolean {
  const question = findQuestion(run, ref)
  if (question) return question.options.some((item) => item.key === key)
  const node = run.loaded.nodes.get(ref)
  if (node?.kind !== 'ask') return false
  return node.input.type !== 'choice' || node.input.options.some((item) => item.key === key && !item.edit)
}

/** Puts an earlier answer right: a question of the form, or an ask node already passed. */
function correct(run: Run, pending: Extract<Pending, { type: 'correct' }>): void {
  const { session, loaded } = run
  const { ref } = pending
  const key = String(pending.option)
  const open = formOf(run)
  if (open && findQuestion(run, ref)) {
    const { set, form } = open
    const remark = () => note(run, 'engine.corrected', { question: questionNumber(set, ref), answer: optionText(run, ref, key) })
    const isAnswered = answer(run, open, { question: ref, key, remark })
    // At the read-back an answer taken back leaves a gap, which is asked before anything is confirmed
    if (form.at === ref || isAnswered || (form.at === null && !isComplete(set, form))) moveOn(set, form)
    return prompt(run)
  }
  const node = loaded.nodes.get(ref)
  if (node?.kind !== 'ask') return prompt(run)
  const before = nextOf(node, session.vars[node.var])
  setVar(session, node.var, { value: pending.option, ...(pending.label === undefined ? {} : { label: pending.label }) })
  note(run, 'engine.corrected_plain', { answer: pending.label ?? answerText(run, ref, key) })
  // Another branch may ask something else
  if (before === nextOf(node, session.vars[node.var]) || session.comeBack !== undefined || !fillGap(run, session.node)) prompt(run)
}

function answerText(run: Run, ref: string, key: string): TextRef | string {
  const node = run.loaded.nodes.get(ref)
  return findQuestion(run, ref) || (node?.kind === 'ask' && node.input.type === 'choice') ? optionText(run, ref, key) : key
}

function which(run: Run, node: AskNode | FormNode, keys: readonly string[]): void {
  const { session, loaded } = run
  const offered = mainPrompt(loaded, session)?.options.filter((item) => keys.includes(item.key)) ?? []
  if (offered.length === 0) return missed(run, node, { type: 'not_understood' })
  session.pending = { type: 'which', options: [...offered.map((item) => item.key), ...(keys.includes('0') ? ['0'] : [])] }
  prompt(run)
}

function edit(run: Run, node: AskNode | FormNode, input: Extract<Input, { type: 'edit' }>): void {
  const { session } = run
  const open = formOf(run)
  if (node.kind !== 'form' || !open) return prompt(run, { key: 'engine.nothing_to_edit' })
  if (input.number === undefined) {
    session.pending = { type: 'edit' }
    return prompt(run)
  }
  const target = reachedQuestion(open.set, open.form, input.number)
  if (target === undefined) return prompt(run, { key: 'engine.no_such_question', params: { n: input.number } })
  delete session.pending
  const isNew = input.key !== undefined && open.form.answers[target] !== input.key && takes(run, target, input.key)
  if (isNew && open.form.at === target) return formOption(run, node, input.key ?? '')
  if (isNew && input.key !== undefined) session.pending = { type: 'correct', ref: target, option: input.key }
  else openQuestion(open.form, target)
  prompt(run)
}

function back(run: Run, node: AskNode | FormNode): void {
  const open = formOf(run)
  if (node.kind === 'form' && open) {
    const { set, form } = open
    const here = form.at === null ? askedQuestions(set).length : questionNumber(set, form.at) - 1
    if (here > 0) return edit(run, node, { type: 'edit', number: here })
  }
  prompt(run, { key: 'engine.no_way_back' })
}

function resume(run: Run): void {
  const { session } = run
  delete session.pending
  if (session.form && !session.form.confirmed && Object.keys(session.form.answers).length > 0) session.pending = { type: 'resume' }
  prompt(run)
}

function startOver(run: Run, node: AskNode | FormNode): void {
  const open = formOf(run)
  if (node.kind === 'form' && open) {
    for (const question of Object.keys(open.form.answers)) run.effects.push({ type: 'answer', question, option: null })
    run.session.form = openForm(open.set)
    note(run, 'engine.started_over')
  }
  prompt(run)
}

/** Wants a person for the open question. A question of a form is put aside meanwhile. */
function person(run: Run, node: AskNode | FormNode): void {
  const { session } = run
  run.effects.push({ type: 'do', action: 'ask_for_person', args: { question: openRef(run, node) }, wait: false })
  if (session.pending?.type === 'which') delete session.pending
  const open = node.kind === 'form' && !session.pending ? formOf(run) : undefined
  if (!open || open.form.at === null) return prompt(run, { key: 'engine.person_asked' })
  const outcome = putAside(open.set, open.form)
  if (outcome === 'stays') return prompt(run, { key: 'engine.parked' })
  note(run, outcome === 'moved' ? 'engine.person_asked_next' : 'engine.parked')
  prompt(run)
}

function explanation(run: Run, node: AskNode | FormNode): TextRef {
  const { form } = run.session
  if (node.kind === 'ask') return { key: `${run.loaded.flow.id}.${node.id}.example` }
  return form && form.at !== null ? { key: criteriaTextKey(form.set, form.at, 'example') } : { key: 'engine.explain_review' }
}

function missed(run: Run, node: AskNode | FormNode, input: Extract<Input, { type: 'not_understood' }>): void {
  const { session } = run
  const free = node.kind === 'ask' && node.input.type !== 'choice' ? node.input : undefined
  if (input.media && free) {
    const wants = free.type === 'text' && free.media ? 'file' : 'words'
    return prompt(run, { key: 'engine.media_free', params: { media: input.media, wants } }, 'simple')
  }
  if (input.media) return prompt(run, { key: `engine.media.${input.media}` })
  session.misses += 1
  const reason: TextRef = {
    key: `engine.${input.reason ?? 'missed'}`,
    ...(free?.type === 'text' ? { params: { max: free.max } } : {}),
  }
  if (run.loaded.flow.staff) return prompt(run, reason, 'simple')
  if (session.misses > MISSES_TO_PERSON) return prompt(run, { key: 'engine.missed_waiting' }, 'simple')
  if (session.misses === MISSES_TO_PERSON) {
    run.effects.push({ type: 'do', action: 'ask_for_person', args: { question: openRef(run, node) }, wait: false })
    return prompt(run, { key: 'engine.missed_person' }, 'simple')
  }
  if (session.misses >= MISSES_TO_SIMPLER) return prompt(run, { key: 'engine.missed_again' }, 'simple')
  // What stands before a person's eyes in full is not said in full again; a form's question is as short as it can be
  prompt(run, reason, node.kind === 'ask' ? 'simple' : 'plain')
}
