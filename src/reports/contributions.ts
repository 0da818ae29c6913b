/** One counter something adds 1 to, within its village, year and title. */
export type Contribution = { dimension: Dimension; key: string }

/**
 * people    known, registered, group_<n>, households        (year 0, no title)
 * state     begun, finished, self_passed, self_not_passed, helped, withdrawn
 * question  <criteria set>/<question>:<option>              answers in force
 * group     <n>:begun, <n>:finished, <n>:self_passed
 * flag      digital_basic, …                                among those who finished and pass
 * channel   zalo:begun, zalo:finished, zalo:self_passed, …
 *
 * A key of `question` names its criteria set, so that old answers can be read through the mapping of a newer set.
 * Whoever withdrew counts as withdrawn and nowhere else. `recount.ts` says the same in SQL and must agree.
 */
export type Dimension = 'people' | 'state' | 'question' | 'group' | 'flag' | 'channel'

export type PersonFacts = { group: number; source: 'chat' | 'helper' | 'roster' }

export type NominationFacts = {
  status: string
  group: number | null
  channel: string | null
  selfPassed: boolean | null
  flags: readonly string[]
  helperPersonId: number | null
}

export type AnswerFacts = { criteriaSet: string; question: string; option: string }

/** What a row of `person` adds to. */
export function personContributions({ group, source }: PersonFacts): Contribution[] {
  const keys = ['known', ...(source === 'roster' ? [] : ['registered']), `group_${group}`]
  return keys.map((key) => ({ dimension: 'people', key }))
}

/** What a row of `household` adds to. */
export function householdContributions(): Contribution[] {
  return [{ dimension: 'people', key: 'households' }]
}

/** What a row of `nomination` adds to, with its answers in force. */
export function nominationContributions(nomination: NominationFacts, answers: readonly AnswerFacts[]): Contribution[] {
  if (nomination.status === 'rut_lai') return [{ dimension: 'state', key: 'withdrawn' }]
  const finished = nomination.status !== 'dang_tu_danh_gia'
  const selfPassed = finished && nomination.selfPassed === true
  const reached = ['begun', ...(finished ? ['finished'] : []), ...(selfPassed ? ['self_passed'] : [])]
  const states = [
    ...reached,
    ...(finished && nomination.selfPassed === false ? ['self_not_passed'] : []),
    ...(nomination.helperPersonId === null ? [] : ['helped']),
  ]
  const add = (dimension: Dimension, keys: string[]): Contribution[] => keys.map((key) => ({ dimension, key }))
  return [
    ...add('state', states),
    ...(nomination.group === null
      ? []
      : add(
          'group',
          reached.map((state) => `${nomination.group}:${state}`),
        )),
    ...(nomination.channel === null
      ? []
      : add(
          'channel',
          reached.map((state) => `${nomination.channel}:${state}`),
        )),
    ...(selfPassed ? add('flag', [...nomination.flags]) : []),
    ...add(
      'question',
      answers.map(({ criteriaSet, question, option }) => `${criteriaSet}/${question}:${option}`),
    ),
  ]
}
