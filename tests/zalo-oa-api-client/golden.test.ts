import { expect, test } from 'vitest'
import { appSecretProof, challengeOf, createVerifier, signWebhook, verifySignature } from '../../src/zalo-oa-api-client/index.ts'

// Computed once from the platform's formula with an invented secret; 298 bytes, NFC
const keys = { appId: '1234567890123456789', oaSecretKey: 'OA_SECRET_made_up_0001' }
const text =
  '{"app_id":"1234567890123456789","user_id_by_app":"5550001112223334445","event_name":"user_send_text","timestamp":"1795299433840","sender":{"id":"9876543210987654321"},"recipient":{"id":"1122334455667788990"},"message":{"msg_id":"a1b2c3d4e5f60718293a","text":"Cho tôi hỏi thủ tục khai sinh"}}'
const header = 'mac=13fd6d2ce0ff39afe08cedd4c19545fce308ce68aa483d6d1199e591cd2e4a15'
const body = Buffer.from(text)

test('the golden webhook verifies, and signing it gives the same header', () => {
  expect(body.length).toBe(298)
  expect(verifySignature(body, header, keys)).toBe(true)
  expect(signWebhook(body, keys)).toBe(header)
})

const ascii = text.replace(/[^ -~]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)

test.each([
  ['escaped Unicode', Buffer.from(ascii)],
  ['pretty-printed', Buffer.from(JSON.stringify(JSON.parse(text), null, 2))],
  ['with CRLF', Buffer.from(text.replaceAll(',', ',\r\n'))],
  ['NFD instead of NFC', Buffer.from(text.normalize('NFD'))],
  ['one byte more', Buffer.from(`${text} `)],
  ['another timestamp', Buffer.from(text.replace('1795299433840', '1795299433841'))],
  ['no timestamp', Buffer.from('{"event_name":"user_send_text"}')],
  ['an empty object', Buffer.from('{}')],
  ['no JSON', Buffer.from('hello')],
  ['an array', Buffer.from('[]')],
  ['nothing', Buffer.alloc(0)],
])('the signature of the golden webhook does not fit %s', (_name, changed) => {
  expect(verifySignature(changed, header, keys)).toBe(false)
})

test.each([
  ['missing', undefined],
  ['without mac=', header.slice(4)],
  ['cut', header.slice(0, -1)],
  ['longer', `${header}0`],
  ['not hex', `mac=${'z'.repeat(64)}`],
  ['empty', ''],
  ['twice', [header, header]],
])('a header that is %s is refused', (_name, given) => {
  expect(verifySignature(body, given, keys)).toBe(false)
})

test('the app secret, another app or another key do not verify', () => {
  expect(verifySignature(body, header, { ...keys, oaSecretKey: 'APP_SECRET_made_up' })).toBe(false)
  expect(verifySignature(body, header, { ...keys, appId: '1' })).toBe(false)
})

test('a body that names another app is refused even when the digest fits', () => {
  const foreign = Buffer.from('{"app_id":"1","timestamp":"1795299433840"}')
  expect(verifySignature(foreign, signWebhook(foreign, keys), keys)).toBe(false)
})

test('a timestamp that is a number signs like its digits, a body in a larger buffer like itself', () => {
  const numeric = Buffer.from('{"timestamp":1795299433840}')
  expect(verifySignature(numeric, signWebhook(numeric, keys), keys)).toBe(true)
  const within = Buffer.concat([Buffer.from('xx'), body, Buffer.from('yy')]).subarray(2, 2 + body.length)
  expect(verifySignature(within, header, keys)).toBe(true)
})

test('PKCE as in RFC 7636 appendix B', () => {
  expect(challengeOf('dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk')).toBe('E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM')
  expect(createVerifier()).toMatch(/^[A-Za-z0-9_-]{43}$/)
  expect(createVerifier()).not.toBe(createVerifier())
})

test('appsecret_proof', () => {
  expect(appSecretProof('ACCESS_TOKEN_made_up', 'APP_SECRET_made_up')).toBe(
    'af64f656dc3a2a0ea7ceb346beab6c0cc668c35de124915c7bd1ef1f3b5c88d1',
  )
})
