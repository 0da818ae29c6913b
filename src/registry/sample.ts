import { join } from 'node:path'
import { eq, inArray, sql } from 'drizzle-orm'
import type { Db, Tx } from '../db/connect.ts'
import { answer, household, nomination, person } from '../db/schema.ts'
import { pointsOf, score } from '../engine/score.ts'
import { fold } from '../lib/fold.ts'
import { vietnamTime } from '../lib/vietnam-time.ts'
import type { CriteriaQuestion, CriteriaSet } from '../model/criteria.ts'
import { householdContributions, nominationContributions, personContributions } from '../reports/contributions.ts'
import { applyTallies, PEOPLE, type TallyChange } from '../reports/tally.ts'
import type { RandomInt } from './codes.ts'
import { setSetting } from './settings.ts'
import { findUnitByCode, importUnits, listVillages, type Unit } from './units.ts'
import { importClips, loadClips } from './voice-clips.ts'

/** Code of the sample commune; its villages are `binh-lu-01` … `binh-lu-35`. */
export const SAMPLE_COMMUNE = 'binh-lu'

type SampleDeps = { db: Db; sets: Iterable<CriteriaSet>; randomInt: RandomInt }

// The commune has 35 bản; these names are invented
const VILLAGES = [
  'Nà Đa',
  'Nà Khan',
  'Hua Bó',
  'Nà Sài',
  'Thẩm Phé',
  'Nà Kiêng',
  'Cốc Pa',
  'Huổi Ke',
  'Nà Vàng',
  'Phiêng Lót',
  'Pa Nậm',
  'Hua Nà',
  'Nậm Tói',
  'Cốc Muổng',
  'Nà Hoi',
  'Thẩm Én',
  'Huổi Lạ',
  'Nà Phặc',
  'Phiêng Hoa',
  'Nà Còi',
  'Pa Khôm',
  'Hua Lót',
  'Nậm Tiên',
  'Nà Tranh',
  'Cốc Nhội',
  'Thẩm Mạ',
  'Huổi Sấu',
  'Nà Luồng',
  'Phiêng Tòng',
  'Nà Ít',
  'Pa Hán',
  'Hua Sẳng',
  'Nậm Ngù',
  'Nà Bỏ',
  'Cốc Lùng',
]
const SURNAMES = ['Lò', 'Vàng', 'Tao', 'Lý', 'Giàng', 'Hoàng', 'Nguyễn', 'Mào', 'Sùng', 'Tẩn', 'Phàn', 'Đèo', 'Trần', 'Lù']
const WOMEN = ['Đào', 'Hoa', 'Inh', 'Mai', 'Pành', 'Lan', 'Xuân', 'Chư', 'Mỷ', 'Thơm', 'Phương', 'Dợ', 'Kim', 'Én']
const MEN = ['Sơn', 'Pao', 'Chính', 'Tủa', 'Hùng', 'Dìn', 'Thắng', 'Lềnh', 'Minh', 'Sử', 'Toàn', 'Páo', 'Đức', 'Ngân']
// see facts 6: the commune's own plan, section II
const PLAN = 'Kế hoạch của UBND xã Bình Lư giai đoạn 2026–2030, tháng 3/2026'
const HOUSEHOLDS = { least: 4, spread: 4 }
const MEMBERS = { least: 1, spread: 3 }
const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
// Forms were begun within this time
const PAST_DAYS = 60
const SAMPLE_CLIPS = join(import.meta.dirname, '../../flows/voice-sample')
const SAMPLE_LOCK = 7_301_005

/**
 * Creates a commune to try everything with: its villages, invented people, and their forms in several states. Its units are marked as sample.
 * All in one transaction; where the commune is there already, nothing happens.
 */
export async function createSampleCommune(deps: SampleDeps, { now }: { now: Date }): Promise<{ type: 'created' | 'present' }> {
  return deps.db.transaction(async (tx) => {
    await tx.execute(sql`SELECT pg_advisory_xact_lock(${SAMPLE_LOCK})`)
    if (await findUnitByCode(tx, SAMPLE_COMMUNE)) return { type: 'present' }
    const commune = await createUnits(tx, deps.randomInt, now)
    await setTargets(tx, commune, now)
    const writer = createPeople(deps, commune, now)
    for (const village of await listVillages(tx, commune.id)) writer.addVillage(village)
    await writer.write(tx)
    await importSampleClips(tx, now)
    return { type: 'created' }
  })
}

/** A few prompts to hear, read by a machine and marked so. */
async function importSampleClips(tx: Tx, now: Date): Promise<void> {
  const { clips, problems } = await loadClips(SAMPLE_CLIPS, () => true)
  if (problems.length > 0) throw new Error(`sample recordings: ${problems[0]?.file} ${problems[0]?.problem}`)
  await importClips(tx, { clips, sample: true, actor: 'sample', now })
}

async function createUnits(tx: Tx, randomInt: RandomInt, now: Date): Promise<Unit> {
  const villages = VILLAGES.map((name, index) => ({
    code: `${SAMPLE_COMMUNE}-${String(index + 1).padStart(2, '0')}`,
    level: 'thon_ban' as const,
    label: 'bản',
    name,
    parentCode: SAMPLE_COMMUNE,
  }))
  const units = [
    { code: 'lai-chau', level: 'tinh' as const, label: 'tỉnh', name: 'Lai Châu' },
    { code: SAMPLE_COMMUNE, level: 'xa' as const, label: 'xã', name: 'Bình Lư', parentCode: 'lai-chau' },
    ...villages,
  ]
  const rows = units.map((unit, index) => ({ ...unit, row: index + 2, predecessorCodes: [] }))
  const outcome = await importUnits(tx, { rows, actor: 'sample', now, randomInt, sample: true })
  const commune = await findUnitByCode(tx, SAMPLE_COMMUNE)
  if (outcome.type === 'refused' || !commune) throw new Error('the units of the sample commune were refused')
  return commune
}

async function setTargets(tx: Tx, commune: Unit, now: Date): Promise<void> {
  const targets = { 'target.CDHT': 60, 'target.GDHT': 80, 'target.digital_basic': 75, 'target.digital_proficient': 70 } as const
  for (const key of Object.keys(targets) as (keyof typeof targets)[]) {
    await setSetting(tx, { unitId: commune.id, key, value: { percent: targets[key], source: PLAN }, actor: 'sample', now })
  }
}

type Ids = { id: number }
type PersonRow = typeof person.$inferInsert
type NominationRow = typeof nomination.$inferInsert
type Form = {
  row: Omit<NominationRow, 'subjectId'>
  answers: { question: string; option: string; points: number | null; computed: boolean }[]
}
type Family = { villageId: number; members: { row: PersonRow; form?: Form }[]; adults: number; form?: Form }

/** Thinks up families, then writes all of them in a few statements. */
function createPeople({ sets, randomInt }: SampleDeps, commune: Unit, now: Date) {
  const families: Family[] = []
  const { year } = vietnamTime(now)
  const known = [...sets]
  const chance = (percent: number) => randomInt(100) < percent
  const pick = <T>(items: readonly T[]): T => items[randomInt(items.length)]!

  function addVillage(village: Unit): void {
    // Some villages are far ahead, some have hardly begun
    const eagerness = 20 + randomInt(75)
    const count = HOUSEHOLDS.least + randomInt(HOUSEHOLDS.spread)
    for (let n = 0; n < count; n += 1) families.push(thinkUpFamily(village.id, eagerness))
  }

  function thinkUpFamily(villageId: number, eagerness: number): Family {
    const surname = pick(SURNAMES)
    const count = MEMBERS.least + randomInt(MEMBERS.spread)
    const members = Array.from({ length: count }, (_, n) => thinkUpPerson(villageId, n === 0 ? surname : pick(SURNAMES), eagerness))
    const adults = count + randomInt(2)
    const citizens = members.filter(({ form }) => form?.row.selfPassed).length
    const set = findSet('GDHT', undefined)
    const form =
      set && members[0]?.form?.row.status === 'da_tu_danh_gia' && chance(60) ? fillForm(set, villageId, { citizens, adults }) : undefined
    return { villageId, members, adults, ...(form && { form }) }
  }

  function thinkUpPerson(villageId: number, surname: string, eagerness: number): Family['members'][number] {
    const woman = chance(50)
    const name = woman ? `${surname} Thị ${pick(WOMEN)}` : `${surname} ${pick(['Văn', 'A'])} ${pick(MEN)}`
    const birthYear = year - 20 - randomInt(55)
    const elder = year - birthYear > 60
    const group = chance(80) ? 1 : chance(60) ? 2 : 3
    const registered = chance(40 + eagerness / 2)
    const row: PersonRow = {
      communeId: commune.id,
      villageId,
      name,
      nameKey: fold(name),
      birthYear,
      address: elder ? (woman ? 'ba' : 'ong') : 'bac',
      group,
      source: registered ? (chance(15) ? 'helper' : 'chat') : 'roster',
      createdAt: new Date(now.getTime() - PAST_DAYS * DAY_MS),
    }
    const set = registered && chance(eagerness) ? findSet('CDHT', group) : undefined
    return { row, ...(set && { form: fillForm(set, villageId) }) }
  }

  /** The newest set of a title and group. */
  function findSet(title: CriteriaSet['title'], group: number | undefined): CriteriaSet | undefined {
    const version = (set: CriteriaSet) => Number(set.id.split('.').at(-1))
    return known.filter((set) => set.title === title && set.group === group).sort((a, b) => version(b) - version(a))[0]
  }

  function fillForm(set: CriteriaSet, villageId: number, figures: { citizens?: number; adults?: number } = {}): Form {
    const asked = set.questions.filter((question) => question.source === 'asked')
    const finished = chance(75)
    const reached = finished ? asked : asked.slice(0, 1 + randomInt(asked.length - 1))
    const gifted = chance(70)
    const answers = Object.fromEntries(reached.map((question) => [question.key, pickOption(question, gifted)]))
    const result = score(set, answers, finished ? figures : {})
    const openedAt = new Date(now.getTime() - DAY_MS - randomInt((PAST_DAYS - 1) * 24) * HOUR_MS)
    const done = finished && result.complete
    return {
      row: {
        communeId: commune.id,
        villageId,
        year,
        title: set.title,
        group: set.group ?? null,
        status: done ? 'da_tu_danh_gia' : 'dang_tu_danh_gia',
        criteriaSet: set.id,
        channel: 'zalo',
        total: result.total,
        answered: reached.length,
        selfPassed: done ? result.passed : null,
        flags: result.flags,
        openedAt,
        confirmedAt: done ? new Date(openedAt.getTime() + HOUR_MS / 4) : null,
      },
      answers: [
        ...Object.entries(answers).map(([question, option]) => ({ question, option, computed: false })),
        ...Object.entries(result.computed).map(([question, option]) => ({ question, option, computed: true })),
      ].map((given) => ({ ...given, points: pointsOf(set, given.question, given.option) })),
    }
  }

  function pickOption(question: CriteriaQuestion, gifted: boolean): string {
    const counted = question.options.filter((option) => option.points !== null)
    const best = [...counted].sort((a, b) => (b.points ?? 0) - (a.points ?? 0))
    // Mostly one of the two best answers; the others take any
    return (gifted ? best[randomInt(chance(92) ? 2 : best.length)] : pick(counted))!.key
  }

  async function write(tx: Tx): Promise<void> {
    const scope = (villageId: number) => ({ communeId: commune.id, villageId })
    const createdAt = now
    const households = await tx
      .insert(household)
      .values(
        families.map(({ villageId, members, adults }) => ({
          ...scope(villageId),
          headName: members[0]!.row.name,
          headNameKey: members[0]!.row.nameKey,
          adults,
          createdAt,
        })),
      )
      .returning({ id: household.id })
    const everybody = families.flatMap((family, index) =>
      family.members.map((member) => ({ ...member, householdId: households[index]!.id })),
    )
    const people = await insertAll(everybody, (chunk) =>
      tx
        .insert(person)
        .values(chunk.map(({ row, householdId }) => ({ ...row, householdId })))
        .returning({ id: person.id }),
    )
    await setHeads(tx, people)
    const forms = [
      ...everybody.flatMap(({ form }, index) => (form ? [{ form, subjectId: people[index]!.id }] : [])),
      ...families.flatMap(({ form }, index) => (form ? [{ form, subjectId: households[index]!.id }] : [])),
    ]
    const nominations = await insertAll(forms, (chunk) =>
      tx
        .insert(nomination)
        .values(chunk.map(({ form, subjectId }) => ({ ...form.row, subjectId })))
        .returning(),
    )
    const answers = nominations.flatMap((row, index) =>
      forms[index]!.form.answers.map(({ question, option, points, computed }) => ({
        communeId: commune.id,
        nominationId: row.id,
        question,
        criteriaSet: row.criteriaSet,
        option,
        points,
        source: computed ? ('computed' as const) : ('self' as const),
        answeredAt: row.confirmedAt ?? row.openedAt,
      })),
    )
    await insertAll(answers, (chunk) => tx.insert(answer).values(chunk).returning({ id: answer.nominationId }))
    const changes: TallyChange[] = [
      ...families.map(({ villageId }) => ({ scope: { ...scope(villageId), ...PEOPLE }, before: [], after: householdContributions() })),
      ...everybody.map(({ row }) => ({ scope: { ...scope(row.villageId), ...PEOPLE }, before: [], after: personContributions(row) })),
      ...nominations.map((row) => ({
        scope: { ...scope(row.villageId), year: row.year, title: row.title },
        before: [],
        after: nominationContributions(
          row,
          answers.filter((given) => given.nominationId === row.id),
        ),
      })),
    ]
    await applyTallies(tx, changes)
  }

  return { addVillage, write }
}

async function setHeads(tx: Tx, people: readonly Ids[]): Promise<void> {
  const ids = people.map(({ id }) => id)
  const heads = tx
    .select({ householdId: person.householdId, headId: sql<number>`min(${person.id})`.as('head_id') })
    .from(person)
    .where(inArray(person.id, ids))
    .groupBy(person.householdId)
    .as('heads')
  await tx
    .update(household)
    .set({ headPersonId: sql`${heads.headId}` })
    .from(heads)
    .where(eq(household.id, heads.householdId))
}

// PostgreSQL takes 65,535 parameters in one statement
const BATCH = 1_000

async function insertAll<T, R>(rows: readonly T[], insert: (chunk: T[]) => Promise<R[]>): Promise<R[]> {
  const inserted: R[] = []
  for (let start = 0; start < rows.length; start += BATCH) inserted.push(...(await insert(rows.slice(start, start + BATCH))))
  return inserted
}
