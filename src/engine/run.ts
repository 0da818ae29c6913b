import { type CriteriaQuestion, type CriteriaSet, criteriaTextKey } from '../model/criteria.ts'
import type { TextRef } from '../model/text.ts'
import type { Effect } from './effect.ts'
import type { LoadedFlow, Node, Var } from './flow.ts'
import { openPrompt } from './prompt.ts'
import type { FormState, Session } from './session.ts'

/** One step while it is made: where the person is, and what has come of it so far. */
export type Run = { loaded: LoadedFlow; session: Session; effects: Effect[] }

export type AskNode = Extract<Node, { kind: 'ask' }>
export type FormNode = Extract<Node, { kind: 'form' }>

/** The form somebody is in or has just left, with its questions. */
export function formOf({ loaded, session }: Run): { set: CriteriaSet; form: FormState } | undefined {
  const { form } = session
  const set = form && loaded.sets.get(form.set)
  return form && set ? { set, form } : undefined
}

/** The criteria set a form node asks of this person. */
export function setFor({ loaded, session }: Run, node: FormNode): CriteriaSet | undefined {
  return loaded.sets.get(node.set.of[String(session.vars[node.set.by])] ?? '')
}

export function findQuestion(run: Run, key: string | null): CriteriaQuestion | undefined {
  return formOf(run)?.set.questions.find((question) => question.key === key)
}

/** Name of what is open: a question, an ask node, or the read-back. */
export const openRef = ({ session }: Run, node: AskNode | FormNode): string =>
  node.kind === 'form' ? (session.form?.at ?? 'review') : node.id

export function optionText(run: Run, ref: string, key: string): TextRef {
  if (findQuestion(run, ref)) return { key: criteriaTextKey(run.session.form?.set ?? '', ref, key) }
  return { key: `${run.loaded.flow.id}.${ref}.${key}` }
}

/** Keeps a value; its label, where it has one, is what texts read back (`{village_label}`). */
export function setVar(session: Session, name: string, input: { value: Var; label?: string }): void {
  session.vars[name] = input.value
  if (input.label !== undefined) session.vars[`${name}_label`] = input.label
}

export function note(run: Run, key: string, params?: TextRef['params']): void {
  run.effects.push({ type: 'note', text: params ? { key, params } : { key } })
}

/** Asks what is open, maybe with a remark before it. */
export function prompt(run: Run, lead?: TextRef, variant: 'plain' | 'simple' | 'explained' = 'plain'): void {
  const open = openPrompt(run.loaded, run.session, variant)
  if (open) run.effects.push({ type: 'prompt', prompt: lead ? { ...open, lead } : open })
}

/** An author's mistake: the person is told, the log names the node, and the flow is over. */
export function fault(run: Run, node: string, reason: string): void {
  run.session.waiting = 'ended'
  run.effects.push({ type: 'fault', node, reason }, { type: 'end', outcome: 'fault' })
}
