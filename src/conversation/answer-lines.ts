import { askedQuestions, questionNumber } from '../engine/form.ts'
import { findMapping, findSetInUse } from '../engine/mapping.ts'
import { type CriteriaSet, criteriaTextKey } from '../model/criteria.ts'
import type { OpenNomination } from '../recognition/nominations.ts'
import { type Turn, voiceOf } from './turn.ts'

/** A form as the person may change it: where it is open, in the version it is open in; else in the newest that can read it. */
export type ReadForm = { set: CriteriaSet; answers: Record<string, string> }

export function readForm(turn: Turn, { row, answers }: OpenNomination): ReadForm | undefined {
  const { sets } = turn.deps.content
  const open = turn.sessions.find((live) => (live.status === 'active' || live.status === 'paused') && live.nominationId === row.id)?.state
    .form
  const set = open ? sets.get(open.set) : (findSetInUse(turn.deps.content, row.criteriaSet)?.set ?? sets.get(row.criteriaSet))
  if (!set) return undefined
  const read: Record<string, string> = {}
  for (const given of answers.values()) {
    const map = findMapping(sets, given.criteriaSet, set.id)
    const question = map?.question(given.question)
    const option = map?.option(given.question, given.option)
    if (question !== undefined && option !== undefined) read[question] = option
  }
  return { set, answers: read }
}

/** The answers of a form, one a line, as they are numbered when they are asked. */
export function answerLines(turn: Turn, nomination: OpenNomination): string {
  const form = readForm(turn, nomination)
  if (!form) return ''
  const { set, answers } = form
  const voice = voiceOf(turn)
  const computed = set.questions.filter((question) => question.source === 'computed')
  return [...askedQuestions(set), ...computed]
    .map((question, index) => {
      const option = answers[question.key]
      return voice({
        key: 'engine.review_line',
        params: {
          n: questionNumber(set, question.key) || index + 1,
          question: { key: criteriaTextKey(set.id, question.key, 'short') },
          answer: option === undefined ? { key: 'view.no_answer' } : { key: criteriaTextKey(set.id, question.key, option) },
        },
      })
    })
    .join('\n')
}
