import type { Database } from '../db/connect.ts'
import { audit } from '../db/schema.ts'
import type { StoredAnswer } from '../engine/mapping.ts'
import { vietnamTime } from '../lib/vietnam-time.ts'
import { writeCsv } from '../lib/write-csv.ts'
import type { Unit } from '../registry/units.ts'

export type ExportAnswersArgs = {
  unit: Unit
  year: number
  path: string
  actor: string
  now: Date
  /** How an answer of an older criteria set is named; by default as it was given. */
  readAnswer?: (given: StoredAnswer) => StoredAnswer
}

// Contract, section 5
const COLUMNS = [
  'channel',
  'channel_user_id',
  'person',
  'birth_year',
  'village_code',
  'title',
  'question',
  'option',
  'points',
  'helper',
  'answered_at',
]
const BATCH = 1_000

/**
 * Writes the answers in force of a unit and a year as CSV, one row an answer; nothing of those who withdrew. The file appears whole or not at
 * all, readable by its owner only, and after the audit trail says who took it. Returns the number of rows.
 */
export async function exportAnswers(
  { sql, db }: Database,
  { unit, year, path, actor, now, readAnswer = (given) => given }: ExportAnswersArgs,
): Promise<number> {
  const within = {
    thon_ban: sql`n.commune_id = ${unit.communeId} AND n.village_id = ${unit.id}`,
    xa: sql`n.commune_id = ${unit.communeId}`,
    tinh: sql`n.commune_id IN (SELECT id FROM unit WHERE parent_id = ${unit.id})`,
  }[unit.level]
  // For a household's title the person is its head; the chat is the one the answer came from, be it the helper's
  const answers = sql<AnswerRow[]>`
    SELECT ac.channel, c.channel_user_id, coalesce(p.name, h.head_name) AS person, coalesce(p.birth_year, head.birth_year) AS birth_year,
      v.code AS village_code, n.title, a.criteria_set, a.question, a.option, a.points, helper.name AS helper,
      extract(epoch FROM a.answered_at)::float8 * 1000 AS answered_at_ms
    FROM nomination n
    JOIN answer a ON a.commune_id = n.commune_id AND a.nomination_id = n.id
    JOIN unit v ON v.id = n.village_id
    LEFT JOIN person p ON n.title = 'CDHT' AND p.commune_id = n.commune_id AND p.id = n.subject_id
    LEFT JOIN household h ON n.title = 'GDHT' AND h.commune_id = n.commune_id AND h.id = n.subject_id
    LEFT JOIN person head ON head.commune_id = h.commune_id AND head.id = h.head_person_id
    LEFT JOIN person helper ON helper.commune_id = n.commune_id AND helper.id = a.helper_person_id
    LEFT JOIN contact c ON c.id = a.contact_id
    LEFT JOIN account ac ON ac.id = c.account_id
    WHERE ${within} AND n.year = ${year} AND n.status <> 'rut_lai'
    ORDER BY n.commune_id, v.position, v.id, n.title, person, n.id, a.question`
  async function* cells() {
    for await (const batch of answers.cursor(BATCH)) {
      for (const row of batch) {
        const { question, option } = readAnswer({ criteriaSet: row.criteria_set, question: row.question, option: row.option })
        yield [
          row.channel,
          row.channel_user_id,
          row.person,
          row.birth_year,
          row.village_code,
          row.title,
          question,
          option,
          row.points,
          row.helper,
          printTime(new Date(row.answered_at_ms)),
        ]
      }
    }
  }
  return await writeCsv({
    path,
    columns: COLUMNS,
    rows: cells(),
    beforeShown: (rows) =>
      db.insert(audit).values({
        communeId: unit.communeId,
        at: now,
        actor,
        action: 'export.answers',
        subject: `unit:${unit.id}`,
        detail: { year, rows },
      }),
  })
}

type AnswerRow = {
  channel: string | null
  channel_user_id: string | null
  person: string | null
  birth_year: number | null
  village_code: string
  title: string
  criteria_set: string
  question: string
  option: string
  points: number | null
  helper: string | null
  answered_at_ms: number
}

/** "2026-11-21T09:30:05+07:00", by the clock of Việt Nam. */
function printTime(at: Date): string {
  const { year, month, day, hour, minute } = vietnamTime(at)
  const two = (value: number) => String(value).padStart(2, '0')
  return `${year}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}:${two(at.getUTCSeconds())}+07:00`
}
