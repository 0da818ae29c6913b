import { readdirSync } from 'node:fs'
import { type Offered, offeredFrom } from '../../src/lib/understand.ts'
import { CriteriaSet } from '../../src/model/criteria.ts'
import { readJson } from './lexicon.ts'

const ROOT = new URL('../../', import.meta.url)
const CRITERIA = new URL('flows/criteria/', ROOT)

/** Everything the corpus asks: the questions of the criteria sets, and the pseudo-sets "confirm", "consent", "villages". */
export function loadQuestions(): Map<string, Offered> {
  const texts = readJson(new URL('locales/vi/criteria.json', ROOT)) as Record<string, string>
  const questions = new Map<string, Offered>()
  for (const name of readdirSync(CRITERIA)) {
    const set = CriteriaSet.parse(readJson(new URL(name, CRITERIA)))
    for (const question of set.questions)
      questions.set(
        `${set.id} ${question.key}`,
        offeredFrom(set, question, (key) => texts[key] ?? ''),
      )
  }
  questions.set('confirm read_back', {
    kind: 'confirm',
    options: [
      { key: 'yes', text: 'Đúng' },
      { key: 'no', text: 'Sửa' },
    ],
  })
  questions.set('consent dong_y', {
    kind: 'confirm',
    options: [
      { key: 'dong_y', text: 'Đồng ý' },
      { key: 'khong', text: 'Không' },
      { key: 'hoi', text: 'Hỏi cán bộ' },
    ],
  })
  const villages = readJson(new URL('villages.json', import.meta.url)) as { key: string; text: string }[]
  questions.set('villages village', { kind: 'village', options: villages })
  return questions
}
