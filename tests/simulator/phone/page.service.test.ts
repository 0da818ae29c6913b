import { existsSync } from 'node:fs'
import fastify from 'fastify'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { phonePage } from '../../../src/simulator/phone/plugin.ts'
import { createSimulator, type Simulator } from '../../../src/simulator/simulator.ts'
import { CHROMIUM, openBrowser, openPhonePage, type PhonePage, screens } from '../../browser/phone.ts'

const OA = '1122334455667788990'

// needs a browser: reported as skipped where there is none
describe.skipIf(!existsSync(CHROMIUM))('the phone page in a browser', () => {
  let browser: Browser
  let simulator: Simulator
  let address: string
  let accessToken: string
  const app = fastify({ forceCloseConnections: true })

  beforeAll(async () => {
    simulator = await createSimulator({
      accounts: [
        {
          oaId: OA,
          name: 'Hội Khuyến học xã Bình Lư',
          appId: '1234567890123456789',
          appSecret: 'app secret of a test',
          oaSecretKey: 'account secret of a test',
          oaType: 2,
          verified: true,
          package: 'comprehensive',
          buttons: 'accepted',
        },
      ],
    })
    await app.register(phonePage)
    await app.register(simulator.personApi, { prefix: '/phone' })
    app.post('/sample/invitations', () => ({ code: 'K7Q2M9', text: 'MÃ K7Q2M9' }))
    address = `${await app.listen({ host: '127.0.0.1', port: 0 })}/`
    accessToken = simulator.account(OA).mintTokens().access_token
    browser = await openBrowser()
  })

  afterAll(async () => {
    await browser?.close()
    await app.close()
    await simulator?.close()
  })

  /** The account writes to the person of a phone, through the platform's own door. */
  async function accountWrites(label: string, message: object) {
    const people: { label?: string; user_ids: Record<string, string> }[] = (await app.inject('/phone/api/people')).json()
    const userId = people.find((person) => person.label === label)?.user_ids[OA]
    const answer = await simulator.platform.inject({
      method: 'POST',
      url: '/v3.0/oa/message/cs',
      headers: { access_token: accessToken },
      payload: { recipient: { user_id: userId }, message },
    })
    expect(answer.json()).toMatchObject({ error: 0 })
  }

  function withButtons(text: string, buttons: { title: string; type: string; payload: unknown }[]) {
    return { text, attachment: { type: 'template', payload: { buttons } } }
  }

  async function endWell(opened: PhonePage) {
    expect(opened.errors).toEqual([])
    expect([...opened.foreignHosts]).toEqual([])
    await opened.close()
  }

  test('four people have phones at the first visit and the same ones at the next', async () => {
    const first = await openPhonePage(browser, address)
    expect(await first.page.locator('[data-phone]').count()).toBe(4)
    await endWell(first)
    const second = await openPhonePage(browser, address)
    expect(await second.page.locator('[data-phone]').count()).toBe(4)
    expect((await app.inject('/phone/api/people')).json()).toHaveLength(4)
    await endWell(second)
  })

  test('a conversation: follow, write, be answered, tap a new and an old button, find it all again after a reload', async () => {
    const opened = await openPhonePage(browser, address)
    const phone = await opened.pick('Người dân')
    await phone.setFollowing(true)
    await phone.send('Chào em')
    const question = withButtons('Ông/bà có đọc sách không?', [
      { title: 'Có ạ', type: 'oa.query.show', payload: 'Có' },
      { title: 'Không nói', type: 'oa.query.hide', payload: '#hidden' },
    ])
    const answer = await phone.answerTo(() => accountWrites('Người dân', question))
    expect(answer).toEqual({ from: 'oa', kind: 'text', text: 'Ông/bà có đọc sách không?', buttons: ['Có ạ', 'Không nói'] })
    await phone.answerTo(() => accountWrites('Người dân', { text: 'Còn câu nữa' }))
    await phone.tap('Có ạ')
    await phone.tap('Không nói')
    await phone.element.getByText('Có', { exact: true }).waitFor()
    await opened.reload()
    const texts = (await (await opened.pick('Người dân')).messages()).map((message) => message.text)
    expect(texts).toEqual(['Chào em', 'Ông/bà có đọc sách không?', 'Còn câu nữa', 'Có'])
    await endWell(opened)
  })

  test("people's words are shown as they are and run nothing", async () => {
    const opened = await openPhonePage(browser, address)
    const phone = await opened.addPerson('<b>Lò</b> "Văn" \\ Ỵ')
    const words = '<img src=x onerror="document.title=1"> & </div> Ế Ậ Ỗ Ữ'
    await phone.send(words)
    await phone.element.getByText(words, { exact: true }).waitFor()
    await phone.answerTo(() =>
      accountWrites('<b>Lò</b> "Văn" \\ Ỵ', withButtons(words, [{ title: words, type: 'oa.query.show', payload: words }])),
    )
    expect(await phone.element.locator('[data-role="message"] img').count()).toBe(0)
    await endWell(opened)
  })

  test('without signal messages wait with a clock and nothing arrives; back again both happen, in order', async () => {
    const opened = await openPhonePage(browser, address)
    const phone = await opened.pick('Chủ hộ')
    await phone.send('một')
    await phone.setOnline(false)
    await phone.sendTwo('hai', 'ba')
    await opened.page.locator('[data-state="waiting"]').nth(1).waitFor()
    await accountWrites('Chủ hộ', { text: 'Em chào bác' })
    expect((await phone.messages()).map(({ text, state }) => [text, state])).toEqual([
      ['một', 'sent'],
      ['hai', 'waiting'],
      ['ba', 'waiting'],
    ])
    await phone.answerTo(() => phone.setOnline(true))
    await opened.page.locator('[data-state="waiting"]').waitFor({ state: 'detached' })
    expect((await phone.messages()).map(({ text }) => text)).toEqual(['một', 'Em chào bác', 'hai', 'ba'])
    await endWell(opened)
  })

  test('two sent at once are both there before the first is answered', async () => {
    const opened = await openPhonePage(browser, address)
    const phone = await opened.addPerson('Người nói nhanh')
    for (let round = 1; round <= 5; round += 1) {
      await phone.sendTwo(`câu ${round}`, `trả lời ${round}`)
      await phone.element.getByText(`trả lời ${round}`, { exact: true }).waitFor()
    }
    await expect
      .poll(async () => (await phone.messages()).map(({ text, state }) => `${text} ${state}`))
      .toEqual([1, 2, 3, 4, 5].flatMap((round) => [`câu ${round} sent`, `trả lời ${round} sent`]))
    const { id } = (await app.inject('/phone/api/people')).json().find((person: { label: string }) => person.label === 'Người nói nhanh')
    const sent: { at: number }[] = (await app.inject(`/phone/api/people/${id}/messages?oa_id=${OA}`)).json()
    for (let first = 0; first < sent.length; first += 2) expect(sent[first + 1]!.at - sent[first]!.at).toBeLessThanOrEqual(1)
    await endWell(opened)
  })

  test('everything behind the dots can be sent, and what the account sends is shown: list, picture elsewhere', async () => {
    const opened = await openPhonePage(browser, address)
    const phone = await opened.pick('Trưởng bản')
    const kinds = ['image', 'location', 'sticker', 'voice', 'card', 'file']
    for (const kind of kinds) {
      await phone.attach(kind)
      await phone.element.locator(`[data-role="message"][data-kind="${kind}"][data-state="sent"]`).waitFor()
    }
    const elements = [
      {
        title: 'Ngày hội',
        subtitle: 'Thứ Bảy',
        image_url: 'https://example.vn/a.jpg',
        default_action: { type: 'oa.query.show', payload: 'NGÀY HỘI' },
      },
      { title: 'Lớp học', image_url: 'https://example.vn/b.jpg', default_action: { type: 'oa.open.url', url: 'https://example.vn/1' } },
    ]
    const list = { attachment: { type: 'template', payload: { template_type: 'list', elements, buttons: [] } } }
    expect(await phone.answerTo(() => accountWrites('Trưởng bản', list))).toMatchObject({
      kind: 'list',
      text: 'Ngày hội\nThứ Bảy\nLớp học',
    })
    await phone.element.locator('[data-role="element"]').first().click()
    await phone.element.getByText('NGÀY HỘI', { exact: true }).waitFor()
    await endWell(opened)
  })

  test('a leader gets an invitation into the typing box; what nobody looked at has a dot', async () => {
    const opened = await openPhonePage(browser, address)
    const leader = await opened.pick('Trưởng bản')
    await leader.element.locator('[data-role="invite"]').click()
    const input = leader.element.locator('[data-role="input"]')
    await expect.poll(() => input.inputValue()).toBe('MÃ K7Q2M9')
    const tab = opened.page.locator('[data-role="tab"][data-for="Người dân"]')
    await accountWrites('Người dân', { text: 'Bà con nhớ nhé' })
    await expect.poll(() => tab.getAttribute('data-unread')).toBe('1')
    await opened.pick('Người dân')
    await expect.poll(() => tab.getAttribute('data-unread')).toBe('0')
    await endWell(opened)
  })

  test('with the keyboard alone: write, choose a button, send two, close what is open', async () => {
    const opened = await openPhonePage(browser, address)
    const phone = await opened.pick('Người dân')
    const { keyboard } = opened.page
    const focused = () => opened.page.locator(':focus').getAttribute('data-role')
    await phone.answerTo(() =>
      accountWrites('Người dân', withButtons('Chọn giúp em', [{ title: 'Chọn tôi', type: 'oa.query.show', payload: 'BÀN PHÍM' }])),
    )
    expect(await focused()).toBe('input')
    await keyboard.press('Shift+Tab')
    await keyboard.press('Shift+Tab')
    expect(await focused()).toBe('button')
    await keyboard.press('Enter')
    await phone.element.getByText('BÀN PHÍM', { exact: true }).waitFor()
    await keyboard.press('Tab')
    await keyboard.press('Tab')
    await keyboard.press('Tab')
    expect(await focused()).toBe('attach')
    await keyboard.press('Enter')
    expect(await focused()).toBe('attach-kind')
    await keyboard.press('Escape')
    expect(await focused()).toBe('input')
    await endWell(opened)
  })

  test('reading old messages is not disturbed; the way to the newest shows how many came', async () => {
    const opened = await openPhonePage(browser, address)
    const phone = await opened.addPerson('Người đọc chậm')
    for (let count = 1; count <= 12; count += 1) await phone.send(`Tin dài số ${count}\n\n\n.`)
    await phone.element.locator('[data-state="sent"]').nth(11).waitFor()
    await phone.element.locator('[data-role="message"]').first().scrollIntoViewIfNeeded()
    const newest = phone.element.locator('[data-role="newest"]')
    await newest.waitFor()
    await phone.answerTo(() => accountWrites('Người đọc chậm', { text: 'Tin mới' }))
    await expect.poll(() => newest.textContent()).toBe('1')
    await newest.click()
    await newest.waitFor({ state: 'hidden' })
    await endWell(opened)
  })

  test('on a narrow screen one phone is shown at a time and nothing is wider than the screen', async () => {
    const opened = await openPhonePage(browser, address, screens.hand)
    const phone = await opened.pick('Trưởng bản')
    expect(await opened.page.locator('[data-phone]:visible').count()).toBe(1)
    await phone.sendTwo('một', 'hai')
    await phone.element.getByText('hai', { exact: true }).waitFor()
    expect(await opened.page.evaluate('document.documentElement.scrollWidth')).toBe(screens.hand.width)
    await endWell(opened)
  })

  test('the page speaks English too', async () => {
    const opened = await openPhonePage(browser, address)
    await opened.page.locator('[data-role="language"][data-lang="en"]').click()
    await opened.page.getByRole('heading', { name: 'Village leader' }).waitFor()
    expect(await opened.page.locator('html').getAttribute('lang')).toBe('en')
    await endWell(opened)
  })
})
