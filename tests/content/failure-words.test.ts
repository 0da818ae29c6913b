import { join } from 'node:path'
import { expect, test } from 'vitest'
import { loadContent } from '../../src/content/load.ts'
import { errors } from '../../src/zalo-oa-api-client/errors.ts'

const { texts } = loadContent(join(import.meta.dirname, '../..'))
const reasons = new Set(
  Object.values(errors).flatMap((table) =>
    Object.values(table).flatMap(({ reason, texts = [] }) => [reason, ...texts.flatMap((text) => text.reason ?? [])]),
  ),
)

test.each([...reasons].sort())('an officer reads %s in words', (reason) => {
  for (const language of ['vi', 'en'] as const) {
    const words = texts[language].format({ key: 'campaign.failure', params: { class: reason } }, {})
    expect(words.split(' ')).not.toContain(reason)
  }
})
