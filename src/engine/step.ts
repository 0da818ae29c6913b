import type { CriteriaSet } from '../model/criteria.ts'
import type { TextRef } from '../model/text.ts'
import type { Effect } from './effect.ts'
import type { LoadedFlow, Node, Var } from './flow.ts'
import { editTarget, enterForm, formInput, formSet, questionText, reviewAnswer, setAnswer } from './form.ts'
import type { Input } from './input.ts'
import { openPrompt } from './prompt.ts'
import type { Session } from './session.ts'

// A flow that goes round without waiting is an author's mistake; the longest honest chain is far shorter
const MAX_NODES_A_STEP = 50

// Simpler words and an example at the second text in a row that was not understood, a person at the third
export const MISSES_TO_SIMPLER = 2
export const MISSES_TO_PERSON = 3

export type StepResult = { session: Session; effects: Effect[] }

/**
 * One step of a conversation: what came in, and when → where the person is now, and what is to be said, stored and done.
 * Pure: the session given is not changed. Any input is allowed at any time; what does not fit is answered with the open prompt.
 */
export function step(loaded: LoadedFlow, before: Session, input: Input): StepResult {
  const session: Session = structuredClone(before)
  const effects: Effect[] = []
  const run: Run = { loaded, session, effects }
  if (session.waiting === 'ended') return { session, effects }
  if (session.waiting === 'done') {
    if (input.type !== 'done') return { session, effects }
    Object.assign(session.vars, input.vars)
    const node = loaded.nodes.get(session.node)
    if (node?.kind === 'do') goOn(run, node.next)
    return { session, effects }
  }
  handle(run, input)
  return { session, effects }
}

export type Run = { loaded: LoadedFlow; session: Session; effects: Effect[] }

function handle(run: Run, input: Input): void {
  const { session } = run
  if (input.type === 'start') return goOn(run, session.node)
  const node = currentNode(run)
  if (!node || (node.kind !== 'ask' && node.kind !== 'form')) return goOn(run, session.node)
  if (input.type !== 'not_understood' && input.type !== 'explain') session.misses = 0

  switch (input.type) {
    case 'again':
      return prompt(run)
    case 'back':
      return back(run, node)
    case 'resume':
      return resume(run)
    case 'which':
      session.pending = { type: 'which', options: input.keys }
      return prompt(run)
    case 'explain':
      return prompt(run, explanation(run, node), 'explained')
    case 'person':
      run.effects.push({ type: 'do', action: 'ask_for_person', args: { question: openRef(run, node) }, wait: false })
      if (node.kind === 'form' && session.form?.at && !session.pending) return formInput(run, node, { type: 'skip' })
      return prompt(run, { key: 'engine.person_asked' })
    case 'not_understood':
      return missed(run, node, input)
    case 'edit':
      return edit(run, node, input)
    case 'earlier':
      return earlier(run, node, input)
    case 'value':
      return value(run, node, input)
    case 'option':
      return option(run, node, input.key)
    case 'done':
      return
    default:
      input satisfies never
  }
}

function option(run: Run, node: AskOrForm, key: string): void {
  const { session } = run
  if (session.pending) return pendingOption(run, node, key)
  if (node.kind === 'ask') {
    if (node.input.type !== 'choice') return prompt(run)
    const choice = node.input.options.find((item) => item.key === key)
    if (!choice) return prompt(run)
    session.vars[node.var] = key
    if (choice.edit) {
      session.comeBack = node.next
      return goOn(run, choice.edit)
    }
    return leaveAsk(run, choice.next ?? node.next)
  }
  if (session.form?.at === null) return reviewAnswer(run, node, key)
  return formInput(run, node, { type: 'option', key })
}

function pendingOption(run: Run, node: AskOrForm, key: string): void {
  const { session } = run
  const pending = session.pending
  delete session.pending
  switch (pending?.type) {
    case 'correct':
      if (key === 'doi') {
        correct(run, pending)
        return prompt(run)
      }
      return prompt(run, { key: 'engine.kept' })
    case 'resume':
      if (key === 'lam_lai') return startOver(run, node)
      return prompt(run)
    case 'which':
      return option(run, node, key)
    case 'edit':
      return prompt(run)
    case undefined:
      return prompt(run)
    default:
      pending satisfies never
  }
}

/** Keeps a value; its label, where it has one, is what texts read back (`{village_label}`). */
function setVar(session: Session, name: string, input: { value: Var; label?: string }): void {
  session.vars[name] = input.value
  if (input.label !== undefined) session.vars[`${name}_label`] = input.label
}

/** Puts an earlier answer right: a question of the form, or an ask node already passed. */
function correct(run: Run, pending: { ref: string; option: Var; label?: string }): void {
  const { session, loaded } = run
  const { ref } = pending
  const key = String(pending.option)
  const set = formSet(run)
  if (set?.questions.some((question) => question.key === ref)) {
    setAnswer(run, ref, key)
    run.effects.push({
      type: 'note',
      text: { key: 'engine.corrected', params: { question: questionNumber(set, ref), answer: optionText(run, ref, key) } },
    })
    return
  }
  const node = loaded.nodes.get(ref)
  if (node?.kind !== 'ask') return
  setVar(session, node.var, { value: pending.option, ...(pending.label === undefined ? {} : { label: pending.label }) })
  const answer = node.input.type === 'choice' ? optionText(run, ref, key) : (pending.label ?? key)
  run.effects.push({ type: 'note', text: { key: 'engine.corrected_plain', params: { answer } } })
}

function earlier(run: Run, node: AskOrForm, input: Extract<Input, { type: 'earlier' }>): void {
  const { session } = run
  const key = String(input.key)
  if (session.pending && input.ref === sideRef(session.pending.type)) return pendingOption(run, node, key)
  if (input.ref === openRef(run, node)) {
    if (node.kind === 'ask' && node.input.type !== 'choice') return prompt(run)
    delete session.pending
    return option(run, node, key)
  }
  const inForce = answerInForce(run, input.ref)
  if (inForce === undefined || !fits(run, input.ref, key)) {
    // Words about a prompt that can no longer be changed, e.g. the consent: remind where we are
    return input.repeat ? undefined : prompt(run)
  }
  if (inForce === key) {
    if (input.repeat) return
    return prompt(run, { key: 'engine.already', params: { answer: input.label ?? optionText(run, input.ref, key) } })
  }
  session.pending = { type: 'correct', ref: input.ref, option: input.key, ...(input.label === undefined ? {} : { label: input.label }) }
  return prompt(run)
}

function answerInForce(run: Run, ref: string): string | undefined {
  const { session, loaded } = run
  const answer = session.form?.answers[ref]
  if (answer !== undefined) return answer
  const node = loaded.nodes.get(ref)
  if (node?.kind !== 'ask' || node.settled) return undefined
  const value = session.vars[node.var]
  return value === undefined ? undefined : String(value)
}

function edit(run: Run, node: AskOrForm, input: Extract<Input, { type: 'edit' }>): void {
  const { session } = run
  if (node.kind !== 'form' || !session.form) return prompt(run, { key: 'engine.nothing_to_edit' })
  if (input.number === undefined) {
    session.pending = { type: 'edit' }
    return prompt(run)
  }
  const target = editTarget(run, input.number)
  if (target === undefined) return prompt(run, { key: 'engine.no_such_question', params: { n: input.number } })
  delete session.pending
  if (input.key !== undefined && session.form.answers[target] !== input.key) {
    if (session.form.at === target) return formInput(run, node, { type: 'option', key: input.key })
    session.pending = { type: 'correct', ref: target, option: input.key }
    return prompt(run)
  }
  if (session.form.at !== target) {
    if (session.form.back === undefined) session.form.back = session.form.at
    session.form.at = target
  }
  return prompt(run)
}

function value(run: Run, node: AskOrForm, input: Extract<Input, { type: 'value' }>): void {
  const { session } = run
  if (session.pending?.type === 'edit') return edit(run, node, { type: 'edit', number: Number(input.value) })
  if (session.pending || node.kind !== 'ask') return prompt(run)
  setVar(session, node.var, input)
  leaveAsk(run, node.next)
}

function leaveAsk(run: Run, next: string): void {
  const { session } = run
  const comeBack = session.comeBack
  delete session.comeBack
  goOn(run, comeBack ?? next)
}

function missed(run: Run, node: AskOrForm, input: Extract<Input, { type: 'not_understood' }>): void {
  const { session } = run
  if (input.media) return prompt(run, { key: `engine.media.${input.media}` })
  session.misses += 1
  if (session.misses >= MISSES_TO_PERSON) {
    session.misses = 0
    run.effects.push({ type: 'do', action: 'ask_for_person', args: { question: openRef(run, node) }, wait: false })
    return prompt(run, { key: 'engine.missed_person' }, 'simple')
  }
  if (session.misses >= MISSES_TO_SIMPLER) return prompt(run, { key: 'engine.missed_again' }, 'simple')
  return prompt(run, input.reason ? { key: `engine.${input.reason}` } : { key: 'engine.missed' })
}

function resume(run: Run): void {
  const { session } = run
  delete session.pending
  if (session.form && !session.form.confirmed && Object.keys(session.form.answers).length > 0) session.pending = { type: 'resume' }
  prompt(run)
}

function startOver(run: Run, node: AskOrForm): void {
  const { session, effects } = run
  if (node.kind !== 'form' || !session.form) return prompt(run)
  for (const question of Object.keys(session.form.answers)) effects.push({ type: 'answer', question, option: null })
  delete session.form
  effects.push({ type: 'note', text: { key: 'engine.started_over' } })
  enterForm(run, node)
  prompt(run)
}

function back(run: Run, node: AskOrForm): void {
  const { session } = run
  const set = formSet(run)
  if (node.kind === 'form' && session.form && set) {
    const order = set.questions.filter((question) => question.source === 'asked').map((question) => question.key)
    const here = session.form.at === null ? order.length : order.indexOf(session.form.at)
    if (here > 0) return edit(run, node, { type: 'edit', number: here })
  }
  return prompt(run, { key: 'engine.no_way_back' })
}

function explanation(run: Run, node: AskOrForm): TextRef {
  const at = run.session.form?.at
  if (node.kind === 'form' && at) return questionText(run, at, 'example')
  if (node.kind === 'form') return { key: 'engine.explain_review' }
  return { key: `${run.loaded.flow.id}.${node.id}.example` }
}

/** Walks on from a node until somebody must answer, something must be done, or the flow ends. */
function goOn(run: Run, start: string): void {
  const { session, effects, loaded } = run
  let id = start
  for (let visited = 0; visited < MAX_NODES_A_STEP; visited++) {
    const node = loaded.nodes.get(id)
    if (!node) return fault(run, id, 'no such node')
    session.node = id
    switch (node.kind) {
      case 'say':
        effects.push({ type: 'note', text: { key: `${loaded.flow.id}.${node.id}.say`, params: textParams(session) } })
        id = node.next
        continue
      case 'branch':
        id = node.cases.find((item) => holds(session, item.when))?.next ?? node.else
        continue
      case 'ask':
        session.waiting = 'input'
        return prompt(run)
      case 'form':
        session.waiting = 'input'
        if (!enterForm(run, node)) return fault(run, id, `no criteria set for ${node.set.by}`)
        return prompt(run)
      case 'do':
        session.waiting = 'done'
        effects.push({ type: 'do', action: node.action, args: node.args, wait: true })
        return
      case 'end':
        session.waiting = 'ended'
        effects.push({ type: 'end', outcome: node.outcome, ...(node.next_flow ? { nextFlow: node.next_flow } : {}) })
        return
      default:
        node satisfies never
    }
  }
  fault(run, id, `more than ${MAX_NODES_A_STEP} nodes without waiting`)
}

/** Goes on after a form was confirmed. */
export function leaveForm(run: Run, node: Extract<Node, { kind: 'form' }>): void {
  goOn(run, node.next)
}

export function prompt(run: Run, lead?: TextRef, variant: 'plain' | 'simple' | 'explained' = 'plain'): void {
  const open = openPrompt(run.loaded, run.session, variant)
  if (!open) return
  run.effects.push({ type: 'prompt', prompt: lead ? { ...open, lead } : open })
}

function fault(run: Run, node: string, reason: string): void {
  run.session.waiting = 'ended'
  run.effects.push({ type: 'fault', node, reason }, { type: 'end', outcome: 'fault' })
}

type AskOrForm = Extract<Node, { kind: 'ask' | 'form' }>

function currentNode(run: Run): Node | undefined {
  return run.loaded.nodes.get(run.session.node)
}

export const sideRef = (type: string): string => `side_${type}`

/** Name of what is open: a question, an ask node, or the read-back. */
function openRef(run: Run, node: AskOrForm): string {
  if (node.kind === 'form') return run.session.form?.at ?? 'review'
  return node.id
}

function questionNumber(set: CriteriaSet, key: string): number {
  return set.questions.filter((question) => question.source === 'asked').findIndex((question) => question.key === key) + 1
}

/** Whether an earlier prompt can take this answer. */
function fits(run: Run, ref: string, key: string): boolean {
  const question = formSet(run)?.questions.find((item) => item.key === ref)
  if (question) return question.options.some((item) => item.key === key)
  const node = run.loaded.nodes.get(ref)
  if (node?.kind !== 'ask') return false
  return node.input.type !== 'choice' || node.input.options.some((item) => item.key === key && !item.edit)
}

export function optionText(run: Run, ref: string, key: string): TextRef {
  if (formSet(run)?.questions.some((question) => question.key === ref)) return questionText(run, ref, key)
  return { key: `${run.loaded.flow.id}.${ref}.${key}` }
}

function holds(
  session: Session,
  test: { var: string; in?: unknown[] | undefined; lt?: number | undefined; gte?: number | undefined; set?: boolean | undefined },
): boolean {
  const value = session.vars[test.var]
  if (test.set !== undefined) return (value !== undefined && value !== '') === test.set
  if (test.in) return test.in.includes(value)
  if (typeof value !== 'number') return false
  return (test.lt === undefined || value < test.lt) && (test.gte === undefined || value >= test.gte)
}

/** Variables a text may name: all but those the flow keeps for itself (they begin with `_`). */
export function textParams(session: Session): Record<string, string | number> {
  const params: Record<string, string | number> = {}
  for (const [key, value] of Object.entries(session.vars)) {
    if (!key.startsWith('_')) params[key] = typeof value === 'boolean' ? String(value) : value
  }
  return params
}
