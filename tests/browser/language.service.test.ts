import { existsSync } from 'node:fs'
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { MARKS, mark, outside, pseudoContent } from '../flows/pseudo-locale.ts'
import { keepPicture, type Pages, startPages } from './pages.ts'
import { CHROMIUM, openPhonePage, screens } from './phone.ts'

// Every text is marked with its language's marks: what a reader of English meets on the pages without them, or with those of Vietnamese,
// stands in code or was never translated. Pictures go to SCREENSHOTS where that is set.

const NAME = 'Lò Thị Mai'
// Said by people or about them: the account, the person, what is typed, villages of the register, the two languages' own short names
const OWN = ['Hội Khuyến học xã', NAME, 'Lò Văn Ún', 'Vàng Thị Mỷ', 'Lò Văn Páo', 'Tẩn A Sử', 'Nguyễn Thị Hạnh', 'Nà Đa', 'VI', 'EN']

// needs a browser: reported as skipped where there is none
describe.skipIf(!existsSync(CHROMIUM))('in English no word of Vietnamese and none that stands in code', () => {
  let pages: Pages
  const open: { close(): Promise<void> }[] = []

  beforeAll(async () => {
    pages = await startPages({ content: pseudoContent() })
  })
  afterEach(async () => {
    for (const one of open.splice(0)) await one.close()
  })
  afterAll(() => pages?.close())

  /** Everything on the page that can be read or is read out, piece by piece; a message of the chat is one piece. */
  const piecesOf = (page: Page) =>
    page.evaluate<string[]>(`(() => {
      const pieces = [document.title]
      const walk = (element) => {
        for (const name of ['aria-label', 'title', 'placeholder', 'alt']) if (element.hasAttribute(name)) pieces.push(element.getAttribute(name))
        if (element.matches('script, style, noscript, [class$="-face"], [hidden], [data-from="person"] .text')) return
        if (element.matches('.text, button > span')) return void pieces.push(element.textContent)
        for (const child of element.childNodes) {
          if (child.nodeType === Node.TEXT_NODE) pieces.push(child.textContent)
          else if (child.nodeType === Node.ELEMENT_NODE) walk(child)
        }
      }
      walk(document.documentElement)
      return pieces
    })()`)

  async function expectEnglish(page: Page, when: string): Promise<void> {
    await keepPicture(page, `english-${when.replaceAll(' ', '-')}`)
    const strange = (await piecesOf(page)).filter((piece) => {
      const left = OWN.reduce((text, own) => text.replaceAll(own, ''), outside(piece))
      return /\p{L}/u.test(left) || piece.includes(MARKS.vi[0])
    })
    expect([...new Set(strange)], when).toEqual([])
  }

  /** Gives every text of the phone page's own table its marks. */
  async function markPage(page: Page): Promise<void> {
    await page.route('**/texts.js', async (route) => {
      const script = await (await route.fetch()).text()
      const named = 'export function translate('
      if (!script.includes(named)) throw new Error('texts.js has no translate any more')
      const wrapper = `export const translate = (lang, key, values) => (${JSON.stringify(MARKS)})[lang].join(translateText(lang, key, values))\n`
      await route.fulfill({ contentType: 'text/javascript', body: wrapper + script.replace(named, 'function translateText(') })
    })
  }

  test('on the phone page: its panels and menus, and all that is answered there', async () => {
    const shown = await openPhonePage(pages.browser, pages.address, screens.hand, markPage)
    open.push(shown)
    const { page } = shown
    await page.locator('[data-role="language"][data-lang="en"]').click()
    await page.locator('[data-role="add"]').click()
    await expectEnglish(page, 'adding a person')
    await page.keyboard.press('Escape')
    const phone = await shown.addPerson(NAME)
    const role = (name: string) => phone.element.locator(`[data-role="${name}"]`)
    await expectEnglish(page, 'nothing said yet')
    for (const name of ['attach', 'sticker', 'menu']) {
      await role(name).click()
      await expectEnglish(page, name)
      await role(name).click()
    }

    // Until somebody chooses, they are spoken to in Vietnamese; what was said then is folded away with the page
    await phone.ask('NGÔN NGỮ')
    await phone.ask('2')
    await page.evaluate(`for (const old of document.querySelectorAll('[data-role="message"]')) old.hidden = true`)
    for (const text of ['BẮT ĐẦU', '1', '1', NAME, '1967', '1', '1', '2', 'Lò Văn Ún', '1']) await phone.ask(text)
    expect((await phone.ask('blah')).text).toContain('1/10')
    for (const text of [
      'hả',
      'zzz',
      'zzz',
      '0',
      'XEM',
      'SỬA 1',
      '2',
      'NGHE',
      'MENU',
      'KẾT QUẢ',
      'CÁN BỘ',
      'LÀM HỘ',
      'thôi',
      'GIA ĐÌNH',
      'DỪNG',
      'NHẬN TIN',
    ])
      await phone.ask(text)
    for (const kind of ['image', 'location', 'voice', 'card', 'file']) await phone.answerTo(() => phone.attach(kind))
    await phone.setOnline(false)
    await phone.send('zzz')
    await expectEnglish(page, 'no signal')
    await phone.setOnline(true)
    await expectEnglish(page, 'much was said')
    await phone.setFollowing(true)
    await phone.setFollowing(false)
    await phone.ask('XÓA')
    await phone.ask('1')
    await expectEnglish(page, 'erased')
  })

  test('on the voice page, from the question to the end', async () => {
    const person = await pages.bot.person(NAME)
    await person.talk('NGÔN NGỮ', '2', 'BẮT ĐẦU', '1', 'Nà Đa', NAME, '1967', '3', '1', '1', '4', '1')
    const link = person
      .messages()
      .flatMap((message) => message.buttons ?? [])
      .findLast(({ title }) => title === mark('en', '🔊 Listen'))
    const context = await pages.browser.newContext({ viewport: screens.hand, hasTouch: true })
    open.push(context)
    const page = await context.newPage()
    await page.goto((link?.payload as { url: string } | undefined)?.url ?? '')
    for (let n = 1; n <= 10; n++) {
      await page.locator('.heading', { hasText: `${n}/10` }).waitFor()
      await expectEnglish(page, `voice question ${n}`)
      await page.locator('main form .row .answer').nth(1).tap()
    }
    await page.locator('.lines .line').nth(9).waitFor()
    await expectEnglish(page, 'voice read back')
    await page.locator('.answer').first().tap()
    await page.locator('.tick').waitFor()
    await expectEnglish(page, 'voice done')
  })
})
