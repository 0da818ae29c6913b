import { formatDate, formatTime, vietnamTime } from '../../lib/vietnam-time.ts'
import { type Action, mayDo, rolesThatMay } from '../../registry/roles.ts'
import { getUnit, type Unit, unitPath, unitTitle } from '../../registry/units.ts'
import { notDone } from '../../reports/not-done.ts'
import { printPercent, type Share } from '../../reports/share.ts'
import { loadStatistics } from '../../reports/statistics.ts'
import { startFlow } from '../run-session.ts'
import { say, type Turn, voiceOf } from '../turn.ts'

// A list longer than this is not read on a phone; the rest is a word away
const NAMES_SHOWN = 20
const VILLAGES_SHOWN = 10

/** THỐNG KÊ, THỐNG KÊ <bản>: every figure as x/y, with its time. */
export async function statistics(turn: Turn, argument: string | undefined): Promise<void> {
  const unit = await unitAskedFor(turn, 'statistics', argument)
  if (!unit || !turn.commune) return
  const year = vietnamTime(turn.now).year
  const figures = await loadStatistics(turn.tx, unit, { year, now: turn.now })
  const { settings } = turn.commune
  const rounding = { rule: settings.get('rounding.rule'), decimals: settings.get('rounding.decimals') }
  const voice = voiceOf(turn)
  const share = (value: Share) => {
    const percent = printPercent(value, rounding)
    return `${value.x}/${value.y}${percent === undefined ? '' : ` (${percent}%)`}`
  }
  const { citizens, families } = figures
  say(turn, 'statistics.head', { unit: unitTitle(unit), year, time: formatTime(figures.asOf), date: formatDate(figures.asOf) })
  say(turn, 'statistics.citizens', {
    known: citizens.known,
    registered: share(citizens.registered),
    finished: share(citizens.finished),
    passed: share(citizens.selfPassed),
  })
  say(turn, 'statistics.helped', { share: share(citizens.helped) })
  say(turn, 'statistics.target', { share: share(citizens.target.share), target: citizens.target.percent })
  say(turn, 'statistics.families', {
    households: families.households,
    finished: share(families.finished),
    passed: share(families.selfPassed),
  })
  const behind = figures.furthestBehind.filter((item) => item.finished.y > 0).slice(0, VILLAGES_SHOWN)
  if (behind.length > 0) {
    const lines = behind.map((item) =>
      voice({ key: 'statistics.behind_line', params: { village: item.village.name, share: share(item.finished) } }),
    )
    say(turn, 'statistics.behind', { lines: lines.join('\n') })
  }
}

/** CHƯA LÀM, CHƯA LÀM <bản>: who has not finished, by name. */
export async function missing(turn: Turn, argument: string | undefined): Promise<void> {
  const unit = await unitAskedFor(turn, 'not_done', argument)
  if (!unit) return
  const year = vietnamTime(turn.now).year
  const { total, people } = await notDone(turn.tx, { unitId: unit.id, year, limit: NAMES_SHOWN })
  const voice = voiceOf(turn)
  if (total === 0) {
    say(turn, 'missing.none', { unit: unitTitle(unit), year })
    return
  }
  const lines = people.map((item, index) => {
    const asked =
      item.begun && turn.deps.content.sets.get(item.begun.criteriaSet)?.questions.filter((question) => question.source === 'asked').length
    return voice({
      key: item.begun ? 'missing.line_begun' : 'missing.line',
      params: {
        n: index + 1,
        name: item.name,
        birth_year: item.birthYear,
        village: unit.level === 'thon_ban' ? '' : `, ${item.village.name}`,
        answered: item.begun?.answered ?? 0,
        asked: asked ?? 0,
      },
    })
  })
  say(turn, 'missing.list', { unit: unitTitle(unit), total, year, date: formatDate(turn.now), lines: lines.join('\n') })
  if (total > people.length) say(turn, 'missing.more', { rest: total - people.length })
}

/** MỜI: an invitation for a village leader or officer. */
export async function invite(turn: Turn): Promise<void> {
  return startFlow(turn, 'invite')
}

/** The unit named, else the one of the role. Says why when there is none; of units beyond the role it says nothing. */
async function unitAskedFor(turn: Turn, action: Action, argument: string | undefined): Promise<Unit | undefined> {
  const [own] = rolesThatMay(turn.roles, action)
  if (!own || !turn.commune) return undefined
  if (!argument) return getUnit(turn.tx, own.unitId)
  const understood = turn.deps.understand.understand(argument, turn.commune.preparedVillages)
  const village = understood.kind === 'option' ? turn.commune.villages.find((item) => String(item.id) === understood.key) : undefined
  if (village && mayDo(turn.roles, action, await unitPath(turn.tx, village.id))) return village
  if (understood.kind === 'which') {
    const names = turn.commune.villages.filter((item) => understood.keys.includes(String(item.id))).map((item) => item.name)
    say(turn, 'unit.which', { names: names.join(', ') })
    return undefined
  }
  say(turn, 'unit.not_found')
  return undefined
}
