import type { Score } from '../engine/score.ts'
import { type CriteriaSet, criteriaTextKey } from '../model/criteria.ts'
import type { TextRef } from '../model/text.ts'
import type { NominationRow } from '../recognition/nominations.ts'
import { findHousehold } from '../registry/people.ts'
import { addressed, titleOf } from './subject.ts'
import type { PersonRow, Turn } from './turn.ts'

/**
 * The result in words: where the person stands, and the two steps that would help most. Before recognition it is always a
 * self-assessment, never "đạt" alone. `subject`: somebody else filled it in for this person, who is spoken to.
 */
export async function sayResult(turn: Turn, given: { row: NominationRow; subject?: PersonRow } & Omit<Reckoned, 'title'>): Promise<void> {
  const { row, subject, ...reckoned } = given
  const { person } = turn
  const home = row.title === 'CDHT' && person?.householdId ? await findHousehold(turn.tx, person.communeId, person.householdId) : undefined
  const isHead = home !== undefined && home.headPersonId === person?.id
  if (subject) turn.said.push({ type: 'note', text: { key: 'assist.result_heading', params: { their: titleOf(turn, subject) } } })
  for (const text of resultTexts({ ...reckoned, title: row.title }, { isHead })) {
    if (!subject) turn.said.push({ type: 'note', text })
    // What may be done with it is said to the helper by what follows
    else if (text.key !== 'result.after') turn.said.push({ type: 'note', text: addressed(turn, subject, text) })
  }
}

export type Reckoned = {
  title: NominationRow['title']
  set: CriteriaSet
  result: Score
  figures?: { citizens: number; adults: number }
}

export function resultTexts({ title, set, result, figures }: Reckoned, { isHead }: { isHead: boolean }): TextRef[] {
  const who = title === 'GDHT' ? 'family' : 'citizen'
  const [first, second] = result.lowest.map((question) => ({ key: criteriaTextKey(set.id, question, 'advice') }))
  return [
    {
      key: result.passed ? `result.${who}_pass` : `result.${who}_not_yet`,
      params: { total: result.total, max: result.maxTotal, missing: result.missing },
    },
    ...(figures ? [{ key: 'result.family_citizens', params: { citizens: figures.citizens, adults: figures.adults } }] : []),
    ...(first ? [second ? { key: 'result.next', params: { first, second } } : { key: 'result.next_one', params: { first } }] : []),
    ...(set.status === 'proposed' ? [{ key: 'result.proposed' }] : []),
    { key: 'result.after', params: { family: isHead ? 'yes' : 'no' } },
  ]
}
