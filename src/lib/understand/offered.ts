import { type CriteriaQuestion, type CriteriaSet, criteriaTextKey } from '../../model/criteria.ts'
import type { Offered } from './types.ts'

/**
 * The answers of a criteria set's question, as `prepare` takes them. `text` gives the text of a key in the language of the chat; the asked
 * question and its simpler form together say which words belong to the subject.
 */
export function offeredFrom(set: Pick<CriteriaSet, 'id' | 'title'>, question: CriteriaQuestion, text: (key: string) => string): Offered {
  const of = (part: string) => text(criteriaTextKey(set.id, question.key, part)).replace(/\{\w+\}/g, ' ')
  return {
    kind: 'choice',
    helpKey: '0',
    ask: `${of('ask')} ${of('simple')}`,
    counts: question.counts,
    asksPerson: set.title === 'CDHT',
    options: question.options.map((option) => ({ key: option.key, text: of(option.key), phrases: option.phrases, amount: option.amount })),
  }
}
