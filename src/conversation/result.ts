import type { Score } from '../engine/score.ts'
import { type CriteriaSet, criteriaTextKey } from '../model/criteria.ts'
import type { NominationRow } from '../recognition/nominations.ts'
import { findHousehold } from '../registry/people.ts'
import { say, type Turn } from './turn.ts'

/**
 * The result in words: where the person stands, and the two steps that would help most. Before recognition it is always a
 * self-assessment, never "đạt" alone.
 */
export async function sayResult(
  turn: Turn,
  given: { row: NominationRow; set: CriteriaSet; result: Score; figures?: { citizens: number; adults: number } },
): Promise<void> {
  const { row, set, result, figures } = given
  const who = row.title === 'GDHT' ? 'family' : 'citizen'
  say(turn, result.passed ? `result.${who}_pass` : `result.${who}_not_yet`, {
    total: result.total,
    max: result.maxTotal,
    missing: result.missing,
  })
  if (figures) say(turn, 'result.family_citizens', { citizens: figures.citizens, adults: figures.adults })
  const [first, second] = result.lowest.map((question) => ({ key: criteriaTextKey(set.id, question, 'advice') }))
  if (first && second) say(turn, 'result.next', { first, second })
  else if (first) say(turn, 'result.next_one', { first })
  if (set.status === 'proposed') say(turn, 'result.proposed')
  const { person } = turn
  const home = row.title === 'CDHT' && person?.householdId ? await findHousehold(turn.tx, person.communeId, person.householdId) : undefined
  say(turn, 'result.after', { family: home && home.headPersonId === person?.id ? 'yes' : 'no' })
}
