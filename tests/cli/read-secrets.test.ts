import { expect, test } from 'vitest'
import { parseSecrets } from '../../src/cli/read-secrets.ts'

const NAMES = ['ZALO_REFRESH_TOKEN', 'ZALO_APP_SECRET'] as const

test.each<[string, string, Record<string, string>]>([
  ['a single value', 'abc\n', { ZALO_REFRESH_TOKEN: 'abc' }],
  ['a single value that holds =', 'abc==\n', { ZALO_REFRESH_TOKEN: 'abc==' }],
  ['named lines', 'ZALO_APP_SECRET=s\r\n\r\n# a note\nZALO_REFRESH_TOKEN="r=1"\n', { ZALO_APP_SECRET: 's', ZALO_REFRESH_TOKEN: 'r=1' }],
  ['a byte order mark', '\ufeffZALO_APP_SECRET=s', { ZALO_APP_SECRET: 's' }],
  ['an empty value as absent', 'ZALO_APP_SECRET=\nZALO_REFRESH_TOKEN=r', { ZALO_REFRESH_TOKEN: 'r' }],
  ['nothing', '\n', {}],
])('%s', (_, text, secrets) => {
  expect(parseSecrets(text, NAMES)).toEqual(secrets)
})
