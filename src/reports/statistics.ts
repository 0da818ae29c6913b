import type { DbOrTx } from '../db/connect.ts'
import { loadSettings, type Target } from '../registry/settings.ts'
import type { Unit } from '../registry/units.ts'
import type { Share } from './share.ts'
import { type Count, PEOPLE, readCounts, sumByKey, villagesOf } from './tally.ts'

/** What `THỐNG KÊ` shows. Recognition is not among it before there is one. */
export type StatisticsFigures = {
  unit: Pick<Unit, 'code' | 'level' | 'label' | 'name'>
  year: number
  /** "tính đến" */
  asOf: Date
  citizens: {
    /** People on record: registered, or on the commune's roster. */
    known: number
    /** Of those known. */
    registered: Share
    /** Of those registered. */
    finished: Share
    /** Self-assessed as passing, of those finished. */
    selfPassed: Share
    /** With another's help, of those begun. */
    helped: Share
    target: AgainstTarget
  }
  families: {
    households: number
    /** Of the households known. */
    finished: Share
    selfPassed: Share
    target: AgainstTarget
  }
  /** Up to 10 villages with people who have not finished, the furthest behind first; empty for a village. */
  furthestBehind: { village: Pick<Unit, 'id' | 'code' | 'label' | 'name' | 'position'>; finished: Share }[]
}

/** What was reached (self-assessed as passing) beside what is wanted; the denominator says what it is. */
export type AgainstTarget = Target & {
  share: Share
  denominator: { kind: 'known' } | { kind: 'set'; asOf: string; source: string }
}

const FURTHEST_BEHIND = 10

export type StatisticsArgs = { year: number; now: Date }

/** The figures of a unit, from the counters of its villages. */
export async function loadStatistics(db: DbOrTx, at: Unit, { year, now }: StatisticsArgs): Promise<StatisticsFigures> {
  const people = await readCounts(db, at, { year: PEOPLE.year, titles: [PEOPLE.title], dimensions: ['people'] })
  const states = await readCounts(db, at, { year, titles: ['CDHT', 'GDHT'], dimensions: ['state'] })
  const settings = await loadSettings(db, at.id)
  const citizenStates = states.filter(({ title }) => title === 'CDHT')
  const person = reader(people)
  const citizen = reader(citizenStates)
  const family = reader(states.filter(({ title }) => title === 'GDHT'))

  const against = (
    target: Target,
    passed: number,
    known: number,
    set: { value: number; as_of: string; source: string } | undefined,
  ): AgainstTarget => ({
    ...target,
    share: { x: passed, y: set?.value ?? known },
    denominator: set ? { kind: 'set', asOf: set.as_of, source: set.source } : { kind: 'known' },
  })
  return {
    unit: { code: at.code, level: at.level, label: at.label, name: at.name },
    year,
    asOf: now,
    citizens: {
      known: person('known'),
      registered: { x: person('registered'), y: person('known') },
      finished: { x: citizen('finished'), y: person('registered') },
      selfPassed: { x: citizen('self_passed'), y: citizen('finished') },
      helped: { x: citizen('helped'), y: citizen('begun') },
      target: against(settings.get('target.CDHT'), citizen('self_passed'), person('known'), settings.get('denominator.CDHT')),
    },
    families: {
      households: person('households'),
      finished: { x: family('finished'), y: person('households') },
      selfPassed: { x: family('self_passed'), y: family('finished') },
      target: against(settings.get('target.GDHT'), family('self_passed'), person('households'), settings.get('denominator.GDHT')),
    },
    furthestBehind: at.level === 'thon_ban' ? [] : findFurthestBehind(await villagesOf(db, at), people, citizenStates),
  }
}

function reader(counts: Count[]): (key: string) => number {
  const sums = sumByKey(counts)
  return (key) => sums.get(key) ?? 0
}

/** Lowest share of the people known first; among equals the one with more people still to come. */
function findFurthestBehind(villages: Unit[], people: Count[], states: Count[]): StatisticsFigures['furthestBehind'] {
  const of = (counts: Count[], key: string) =>
    new Map(counts.filter((count) => count.key === key).map(({ villageId, n }) => [villageId, n]))
  const known = of(people, 'known')
  const finished = of(states, 'finished')
  return villages
    .map(({ id, code, label, name, position }) => ({
      village: { id, code, label, name, position },
      finished: { x: finished.get(id) ?? 0, y: known.get(id) ?? 0 },
    }))
    .filter(({ finished: { x, y } }) => y === 0 || x < y)
    .sort((a, b) => shareOf(a.finished) - shareOf(b.finished) || b.finished.y - b.finished.x - (a.finished.y - a.finished.x))
    .slice(0, FURTHEST_BEHIND)
}

const shareOf = ({ x, y }: Share) => (y === 0 ? 0 : x / y)
