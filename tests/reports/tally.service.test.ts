import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createDb, type Database } from '../../src/db/connect.ts'
import { findUnitByCode, type Unit } from '../../src/registry/units.ts'
import { recount } from '../../src/reports/recount.ts'
import { applyTally, readTally } from '../../src/reports/tally.ts'
import { importTestUnits } from '../registry/test-units.ts'
import { createTestDatabase } from '../support/postgres.ts'
import { createFormBook } from './form-book.ts'

let database: Database
let units: Record<string, number>
let commune: Unit
let book: ReturnType<typeof createFormBook>
beforeAll(async () => {
  database = createDb(await createTestDatabase())
  units = await importTestUnits(database.db)
  commune = (await findUnitByCode(database.db, 'c'))!
  book = createFormBook(database.db, commune.id)
})
afterAll(() => database.close())

const village = fc.constantFrom('v1', 'v2')
const question = fc.constantFrom('cntt', 'ke_hoach', 'tham_gia')
const option = fc.constantFrom('mot', 'hai')
const flags = fc.subarray(['digital_basic', 'digital_proficient'])
const which = fc.nat()
const step = fc.oneof(
  fc.record({
    do: fc.constant('person' as const),
    village,
    group: fc.integer({ min: 1, max: 3 }),
    source: fc.constantFrom('chat', 'helper', 'roster'),
  }),
  fc.record({ do: fc.constant('household' as const), village }),
  fc.record({
    do: fc.constant('begin' as const),
    village,
    title: fc.constantFrom('CDHT', 'GDHT'),
    year: fc.constantFrom(2025, 2026),
    group: fc.constantFrom(1, 2, null),
    channel: fc.constantFrom('zalo', 'telegram', null),
    helper: fc.boolean(),
  }),
  fc.record({ do: fc.constant('answer' as const), which, question, option }),
  fc.record({ do: fc.constant('withdraw answer' as const), which, question }),
  fc.record({ do: fc.constant('finish' as const), which, passed: fc.boolean(), flags }),
  fc.record({ do: fc.constant('reopen' as const), which }),
  fc.record({ do: fc.constant('withdraw' as const), which }),
  fc.record({ do: fc.constant('move' as const), which, village }),
  fc.record({ do: fc.constant('erase' as const), which }),
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

let subject = 1_000_000
async function take(taken: Step, forms: number[]): Promise<void> {
  const form = 'which' in taken ? forms[taken.which % forms.length] : undefined
  switch (taken.do) {
    case 'person':
      await book.addPerson({ villageId: units[taken.village]!, group: taken.group, source: taken.source as 'chat' })
      return
    case 'household':
      await book.addHousehold(units[taken.village]!)
      return
    case 'begin': {
      subject += 1
      const { year, group } = taken
      const helperPersonId = taken.helper ? 1 : null
      const kinds = { title: taken.title as 'CDHT', channel: taken.channel as 'zalo' | null }
      forms.push(await book.begin({ villageId: units[taken.village]!, subjectId: subject, year, group, helperPersonId, ...kinds }))
      return
    }
  }
  if (form === undefined) return
  switch (taken.do) {
    case 'answer':
      return book.answer(form, taken.question, taken.option)
    case 'withdraw answer':
      return book.withdrawAnswer(form, taken.question)
    case 'finish':
      return book.update(form, { status: 'da_tu_danh_gia', selfPassed: taken.passed, flags: taken.flags })
    case 'reopen':
      return book.update(form, { status: 'dang_tu_danh_gia' })
    case 'withdraw':
      return book.update(form, { status: 'rut_lai' })
    case 'move':
      return book.update(form, { villageId: units[taken.village]! })
    case 'erase':
      await book.erase(form)
      forms.splice(forms.indexOf(form), 1)
      return
    default:
      taken satisfies never
  }
}

describe('the tally', () => {
  test('equals a recount after whatever happened to forms and answers', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
        const forms: number[] = []
        for (const taken of steps) await take(taken, forms)
        expect(await recount(database.db, commune)).toEqual([])
      }),
      { numRuns: 40, endOnFailure: false },
    )
  })

  test('equals a recount when many villages are written to at once', async () => {
    const one = async (n: number) => {
      const form = await book.begin({
        villageId: units[n % 2 ? 'v1' : 'v2']!,
        year: 2030,
        title: 'CDHT',
        subjectId: n,
        group: 1,
        channel: 'zalo',
      })
      for (const key of ['cntt', 'ke_hoach', 'tham_gia']) await book.answer(form, `${key}_${n % 3}`, 'mot')
      await book.update(form, { status: 'da_tu_danh_gia', selfPassed: true, villageId: units[n % 3 ? 'v1' : 'v2']! })
    }
    await Promise.all(Array.from({ length: 60 }, (_, n) => one(n)))
    expect(await recount(database.db, commune)).toEqual([])
    expect(await readTally(database.db, commune, { year: 2030, title: 'CDHT', by: 'status' })).toMatchObject({
      rows: expect.arrayContaining([{ key: 'finished', figures: { n: 60 } }]),
    })
  })

  test('a counter that went wrong is named', async () => {
    const scope = { communeId: units.d!, villageId: units.w1!, year: 2026, title: 'CDHT' }
    await database.db.transaction((tx) => applyTally(tx, scope, [], [{ dimension: 'state', key: 'begun' }]))
    const ward = (await findUnitByCode(database.db, 'w1'))!
    expect(await recount(database.db, ward)).toEqual([{ ...scope, dimension: 'state', key: 'begun', kept: 1, counted: 0 }])
  })
})
