import type { CriteriaSet } from '../model/criteria.ts'
import type { LoadedFlow } from './flow.ts'
import { askedQuestions, moveOn, questionNumber } from './form.ts'
import type { Input } from './input.ts'
import { findMapping } from './mapping.ts'
import { sideRef } from './prompt.ts'
import type { FormState, Pending, Session } from './session.ts'

/** Where somebody of an older version stands in a newer one, and what they said to the older one in the words of the newer. */
export type Moved = { session: Session; input: Input }

/** The old version's names in the words of the new one. */
type Names = {
  node(id: string): string | undefined
  question(key: string): string | undefined
  option(question: string, key: string): string | undefined
}

/**
 * Moves a session through newer versions of its flow (oldest first) to the last of them. Answers are kept as the criteria sets map them; what
 * the person has just said was said to the old version and counts where its question still is. Nothing is asked here: the next step does.
 */
export function move(versions: readonly LoadedFlow[], before: Session, input: Input): Moved {
  const to = versions.at(-1)
  if (!to) return { session: before, input }
  const session = structuredClone(before)
  session.flow = to.flow.id
  session.version = to.flow.version
  session.moved = true

  const node = nodeIn(versions, before.node)
  const set = setIn(to, before, node)
  const names = namesOf(versions, { from: before.form?.set, to: set?.id })
  if (before.form && set) session.form = moveForm(before.form, set, names)
  const pending = before.pending && movePending(before, before.pending, names)
  delete session.pending
  if (pending) session.pending = pending
  const comeBack = before.comeBack === undefined ? undefined : names.node(before.comeBack)
  delete session.comeBack
  if (comeBack !== undefined) session.comeBack = comeBack
  if (node === undefined) {
    // What stood open is gone: on from the first thing that was never answered
    delete session.pending
    session.node = to.flow.start
    return { session, input: { type: 'start' } }
  }
  session.node = node
  return { session, input: moveInput(to, before, session, names, input) }
}

/** What somebody said about an earlier prompt of an older version, in the words of the newer; undefined when it has no place there. */
export function moveEarlier(
  versions: readonly LoadedFlow[],
  set: { from: string | undefined; to: string | undefined },
  said: { ref: string; key: string },
): { ref: string; key: string } | undefined {
  if (versions.length === 0) return said
  const names = namesOf(versions, set)
  const question = names.question(said.ref)
  if (question !== undefined) {
    const key = names.option(said.ref, said.key)
    return key === undefined ? undefined : { ref: question, key }
  }
  const ref = names.node(said.ref)
  return ref === undefined ? undefined : { ref, key: said.key }
}

function namesOf(versions: readonly LoadedFlow[], set: { from: string | undefined; to: string | undefined }): Names {
  const map = set.from === undefined || set.to === undefined ? undefined : findMapping(versions.at(-1)?.sets ?? new Map(), set.from, set.to)
  return {
    node: (id) => nodeIn(versions, id),
    question: (key) => map?.question(key),
    option: (question, key) => map?.option(question, key),
  }
}

function nodeIn(versions: readonly LoadedFlow[], id: string): string | undefined {
  let here = id
  for (const { flow, nodes } of versions) {
    here = flow.nodes_from[here] ?? here
    if (!nodes.has(here)) return undefined
  }
  return here
}

/** The set the new version asks of this person. */
function setIn(to: LoadedFlow, { vars }: Session, node: string | undefined): CriteriaSet | undefined {
  const forms = to.flow.nodes.filter((item) => item.kind === 'form')
  const form = forms.find((item) => item.id === node) ?? forms[0]
  return form && to.sets.get(form.set.of[String(vars[form.set.by])] ?? '')
}

function moveForm(form: FormState, set: CriteriaSet, names: Names): FormState {
  const asked = new Set(askedQuestions(set).map((question) => question.key))
  const keep = (key: string | null | undefined): string | undefined => {
    const to = key === null || key === undefined ? undefined : names.question(key)
    return to !== undefined && asked.has(to) ? to : undefined
  }
  const answers: Record<string, string> = {}
  for (const [question, option] of Object.entries(form.answers)) {
    const to = keep(question)
    const key = names.option(question, option)
    if (to !== undefined && key !== undefined) answers[to] ??= key
  }
  const many = (keys: readonly string[]) => keys.flatMap((key) => keep(key) ?? [])
  const back = keep(form.back)
  const moved: FormState = {
    set: set.id,
    answers,
    at: keep(form.at) ?? null,
    ...(back === undefined ? (form.back === null ? { back: null } : {}) : { back }),
    skipped: many(form.skipped),
    revisited: many(form.revisited),
    confirmed: form.confirmed,
  }
  // At the read-back, or at a question that is gone or came to have an answer: on to what is missing
  const isEdit = form.back !== undefined
  if (moved.at === null || (!isEdit && answers[moved.at] !== undefined)) moveOn(set, moved)
  return moved
}

function movePending(before: Session, pending: Pending, names: Names): Pending | undefined {
  switch (pending.type) {
    case 'correct': {
      const to = moveQuestionOrNode(before, names, pending.ref, String(pending.option))
      if (!to) return undefined
      return { ...pending, ref: to.ref, option: to.isQuestion ? to.key : pending.option }
    }
    case 'which': {
      const options = pending.options.flatMap((key) => (key === '0' ? [key] : (moveOption(before, names, key) ?? [])))
      return options.length > 0 ? { type: 'which', options } : undefined
    }
    case 'resume':
    case 'edit':
      return pending
    default:
      return pending satisfies never
  }
}

function moveQuestionOrNode(before: Session, names: Names, ref: string, key: string) {
  const question = before.form && names.question(ref)
  if (question === undefined) {
    const node = names.node(ref)
    return node === undefined ? undefined : { ref: node, key, isQuestion: false }
  }
  const option = names.option(ref, key)
  return option === undefined ? undefined : { ref: question, key: option, isQuestion: true }
}

/** An answer to the question that stood open. */
function moveOption({ form }: Session, names: Names, key: string): string | undefined {
  return form && form.at !== null && !form.confirmed ? names.option(form.at, key) : key
}

const AGAIN: Input = { type: 'again' }

function moveInput(to: LoadedFlow, before: Session, session: Session, names: Names, input: Input): Input {
  const { pending } = before
  switch (input.type) {
    case 'option': {
      if (pending && pending.type !== 'which') return session.pending ? input : AGAIN
      if (before.form && !before.form.confirmed) {
        const { at } = before.form
        if (at === null) return session.form?.at === null ? input : input.key === 'sua' ? { type: 'edit' } : AGAIN
        const key = moveOption(before, names, input.key)
        return key === undefined || session.form?.at !== names.question(at) ? AGAIN : { type: 'option', key }
      }
      return input
    }
    case 'value':
      return pending?.type === 'edit' ? moveEdit(to, before, session, names, { type: 'edit', number: Number(input.value) }) : input
    case 'edit':
      return moveEdit(to, before, session, names, input)
    case 'which': {
      const keys = input.keys.flatMap((key) => (key === '0' ? [key] : (moveOption(before, names, key) ?? [])))
      return keys.length > 0 ? { type: 'which', keys } : AGAIN
    }
    case 'earlier': {
      if (pending && input.ref === sideRef(pending.type)) return session.pending ? input : AGAIN
      if (input.ref === 'review') return AGAIN
      const there = moveQuestionOrNode(before, names, input.ref, String(input.key))
      return there ? { ...input, ref: there.ref, key: there.isQuestion ? there.key : input.key } : AGAIN
    }
    case 'start':
    case 'explain':
    case 'not_understood':
    case 'person':
    case 'resume':
    case 'again':
    case 'back':
    case 'leave':
    case 'done':
      return input
    default:
      return input satisfies never
  }
}

/** "SỬA 3" was counted in the old version. */
function moveEdit(to: LoadedFlow, before: Session, session: Session, names: Names, input: Extract<Input, { type: 'edit' }>): Input {
  if (input.number === undefined || !before.form || !session.form) return input
  const old = to.sets.get(before.form.set)
  const set = to.sets.get(session.form.set)
  if (!old || !set) return input
  const from = askedQuestions(old)[input.number - 1]?.key
  // A number beyond the old form's end has no question in the new one either
  const question = from === undefined ? undefined : names.question(from)
  if (from !== undefined && question === undefined) return AGAIN
  const number = question === undefined ? askedQuestions(set).length + 1 : questionNumber(set, question)
  const key = from === undefined || input.key === undefined ? undefined : names.option(from, input.key)
  return { type: 'edit', number, ...(key === undefined ? {} : { key }) }
}
