import { criteriaTextKey } from '../model/criteria.ts'
import type { TextRef } from '../model/text.ts'
import type { Prompt } from './effect.ts'
import type { LoadedFlow, Var } from './flow.ts'
import { askedQuestions, questionNumber } from './form.ts'
import type { Pending, Session } from './session.ts'

/** What stands open in a session, or nothing when the flow does not wait for the person. `simple` asks the same in simpler words. */
export function openPrompt(loaded: LoadedFlow, session: Session, variant: 'plain' | 'simple' | 'explained' = 'plain'): Prompt | undefined {
  if (session.waiting !== 'input') return undefined
  const main = mainPrompt(loaded, session, variant)
  return session.pending && main ? sidePrompt(loaded, session, main) : main
}

/** The open prompt under any side question. */
export function mainPrompt(loaded: LoadedFlow, session: Session, variant: 'plain' | 'simple' | 'explained' = 'plain'): Prompt | undefined {
  const node = loaded.nodes.get(session.node)
  if (node?.kind === 'ask') {
    const key = `${loaded.flow.id}.${node.id}`
    return {
      ref: node.id,
      kind: 'ask',
      text: { key: variant === 'simple' ? `${key}.simple` : `${key}.ask`, params: textParams(session) },
      options:
        node.input.type === 'choice'
          ? node.input.options.map((option) => ({ key: option.key, text: { key: `${key}.${option.key}`, params: textParams(session) } }))
          : [],
      input: node.input.type,
      // CÁN BỘ works everywhere; only a question of a form offers it by number
      help: false,
    }
  }
  if (node?.kind !== 'form' || !session.form) return undefined
  const { form } = session
  const set = loaded.sets.get(form.set)
  if (!set) return undefined
  const asked = askedQuestions(set)
  if (form.at === null) {
    return {
      ref: 'review',
      kind: 'review',
      text: { key: 'engine.review' },
      lines: asked.map((question, index) => ({
        key: 'engine.review_line',
        params: {
          n: index + 1,
          question: { key: criteriaTextKey(set.id, question.key, 'short') },
          answer:
            form.answers[question.key] === undefined
              ? { key: 'engine.no_answer' }
              : { key: criteriaTextKey(set.id, question.key, form.answers[question.key] ?? '') },
        },
      })),
      options: [
        { key: 'dung', text: { key: 'engine.review.dung' } },
        { key: 'sua', text: { key: 'engine.review.sua' } },
      ],
      input: 'choice',
      help: false,
    }
  }
  const question = asked.find((item) => item.key === form.at)
  if (!question) return undefined
  return {
    ref: question.key,
    kind: 'question',
    text: { key: criteriaTextKey(set.id, question.key, variant === 'simple' ? 'simple' : 'ask') },
    options: question.options.map((option) => ({ key: option.key, text: { key: criteriaTextKey(set.id, question.key, option.key) } })),
    input: 'choice',
    progress: { n: asked.indexOf(question) + 1, total: asked.length },
    help: true,
  }
}

/** Answers "is it this one?" with no: the question is asked again. */
export const OTHER_ANSWER = 'y_khac'

/** Name of a side question, in the place of the question beneath it. */
export const sideRef = (type: Pending['type']): string => `side_${type}`

function sidePrompt(loaded: LoadedFlow, session: Session, main: Prompt): Prompt | undefined {
  const pending = session.pending
  if (!pending) return undefined
  const side = { kind: 'side' as const, ref: sideRef(pending.type), help: false }
  switch (pending.type) {
    case 'resume': {
      const progress = main.progress
      return {
        ...side,
        text: progress ? { key: 'engine.resume', params: { n: progress.n, total: progress.total } } : { key: 'engine.resume_review' },
        options: [
          { key: 'tiep_tuc', text: { key: 'engine.resume.tiep_tuc' } },
          { key: 'lam_lai', text: { key: 'engine.resume.lam_lai' } },
        ],
        input: 'choice',
      }
    }
    case 'correct':
      return {
        ...side,
        text: correctText(loaded, session, pending),
        options: [
          { key: 'doi', text: { key: 'engine.correct.doi' } },
          { key: 'giu', text: { key: 'engine.correct.giu' } },
        ],
        input: 'choice',
      }
    case 'which':
      return {
        ...side,
        about: main.ref,
        text: { key: pending.options.length > 1 ? 'engine.which' : 'engine.which_one' },
        options: [
          ...main.options.filter((option) => pending.options.includes(option.key)),
          ...(pending.options.length > 1 ? [] : [{ key: OTHER_ANSWER, text: { key: 'engine.which_one.y_khac' } }]),
        ],
        input: 'choice',
        ...(main.progress ? { progress: main.progress } : {}),
        help: pending.options.includes('0'),
      }
    case 'edit':
      return { ...side, text: { key: 'engine.edit_which' }, options: [], input: 'count' }
    default:
      return pending satisfies never
  }
}

function correctText(loaded: LoadedFlow, session: Session, pending: { ref: string; option: Var; label?: string }): TextRef {
  const { ref } = pending
  const option = String(pending.option)
  const set = session.form ? loaded.sets.get(session.form.set) : undefined
  const n = set ? questionNumber(set, ref) : 0
  if (set && n > 0) {
    const before = session.form?.answers[ref]
    return {
      key: before === undefined ? 'engine.correct_new' : 'engine.correct',
      params: {
        n,
        question: { key: criteriaTextKey(set.id, ref, 'short') },
        to: { key: criteriaTextKey(set.id, ref, option) },
        ...(before === undefined ? {} : { from: { key: criteriaTextKey(set.id, ref, before) } }),
      },
    }
  }
  const node = loaded.nodes.get(ref)
  const choice = node?.kind === 'ask' && node.input.type === 'choice'
  return { key: 'engine.correct_plain', params: { to: choice ? { key: `${loaded.flow.id}.${ref}.${option}` } : (pending.label ?? option) } }
}

/** Variables a text may name: all but those the flow keeps for itself (they begin with `_`). */
export function textParams(session: Session): Record<string, string | number> {
  const params: Record<string, string | number> = {}
  for (const [key, value] of Object.entries(session.vars)) {
    if (!key.startsWith('_')) params[key] = typeof value === 'boolean' ? String(value) : value
  }
  return params
}
