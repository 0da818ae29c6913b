import { criteriaTextKey } from '../model/criteria.ts'
import type { OpenNomination } from '../recognition/nominations.ts'
import { type Turn, voiceOf } from './turn.ts'

/** The answers of a form, one a line, as they are numbered when they are asked. */
export function answerLines(turn: Turn, nomination: OpenNomination): string {
  const set = turn.deps.content.sets.get(nomination.row.criteriaSet)
  const voice = voiceOf(turn)
  return (set?.questions ?? [])
    .map((question, index) => {
      const given = nomination.answers.get(question.key)
      return voice({
        key: 'engine.review_line',
        params: {
          n: index + 1,
          question: { key: criteriaTextKey(set?.id ?? '', question.key, 'short') },
          answer: given ? { key: criteriaTextKey(given.criteriaSet, question.key, given.option) } : { key: 'view.no_answer' },
        },
      })
    })
    .join('\n')
}
