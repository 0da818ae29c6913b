import { existsSync } from 'node:fs'
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { REGISTRATION } from '../support/bot.ts'
import { keepPicture, type Pages, startPages } from './pages.ts'
import { CHROMIUM, openPhonePage, type PhonePage, screens } from './phone.ts'

// A whole assessment at 360 px without a mouse, and without reading. Pictures go to SCREENSHOTS where that is set.

const MOST_REQUESTS = 25

// needs a browser: reported as skipped where there is none
describe.skipIf(!existsSync(CHROMIUM))('a whole assessment on a phone of 360 px', () => {
  let pages: Pages
  const open: { close(): Promise<void> }[] = []

  beforeAll(async () => {
    pages = await startPages()
  })
  afterEach(async () => {
    for (const one of open.splice(0)) await one.close()
  })
  afterAll(() => pages?.close())

  /** What the bot has asked of the platform since the last time. */
  async function requests(): Promise<number> {
    const { requests: counts } = (await (await fetch(`${pages.address}phone/control/counters`)).json()) as {
      requests: Record<string, number>
    }
    return Object.values(counts).reduce((sum, n) => sum + n, 0)
  }

  const answersOf = (name: string) => pages.bot.sql<{ question: string; option: string }[]>`
    SELECT a.question, a.option FROM answer a JOIN nomination n ON n.id = a.nomination_id JOIN person p ON p.id = n.subject_id
    WHERE p.name = ${name} ORDER BY a.question`
  const statusOf = async (name: string) =>
    (
      await pages.bot.sql<
        { status: string }[]
      >`SELECT n.status FROM nomination n JOIN person p ON p.id = n.subject_id WHERE p.name = ${name} AND n.title = 'CDHT'`
    )[0]?.status

  /** The page is no wider than the screen, and what has the focus can be seen. */
  async function expectUsable(page: Page): Promise<void> {
    // As text: it runs in the page, whose names are not those of these programs
    const seen = await page.evaluate<{ fits: boolean; focus: string; outlined: boolean; onScreen: boolean }>(`(() => {
      const on = document.activeElement
      const style = getComputedStyle(on)
      const place = on.getBoundingClientRect()
      return {
        fits: document.documentElement.scrollWidth <= window.innerWidth,
        focus: on === document.body ? 'nowhere' : (on.getAttribute('aria-label') ?? on.textContent).trim().slice(0, 60) || on.tagName,
        outlined: style.outlineStyle !== 'none' && Number.parseFloat(style.outlineWidth) >= 2,
        onScreen: place.bottom > 0 && place.top < window.innerHeight,
      }
    })()`)
    expect(seen, seen.focus).toMatchObject({ fits: true, outlined: true, onScreen: true })
    expect(seen.focus).not.toBe('nowhere')
  }

  const registrationOf = (name: string) => REGISTRATION.map((text) => (text === 'Lò Văn Pâng' ? name : text))

  /** Somebody at the first question, and where its button to listen leads. */
  async function registerForVoicePage(name: string) {
    const person = await pages.bot.person(name)
    await person.talk(...registrationOf(name))
    const button = person
      .messages()
      .findLast((message) => message.buttons?.length)
      ?.buttons?.find(({ title }) => title === '🔊 Nghe')
    return { person, link: (button?.payload as { url: string } | undefined)?.url ?? '' }
  }

  async function openPhone(name: string): Promise<PhonePage> {
    const shown = await openPhonePage(pages.browser, pages.address, screens.hand)
    open.push(shown)
    await shown.addPerson(name)
    return shown
  }

  test('by keyboard only', async () => {
    const name = 'Lò Thị Phím'
    const { page, errors } = await openPhone(name)
    const phone = page.locator(`[data-phone=${JSON.stringify(name)}]`)
    const theirs = phone.locator('[data-role="message"]:not([data-from="person"])')
    const before = await requests()

    /** Presses Tab (or Shift+Tab) until what is wanted has the focus. */
    async function tabTo(selector: string, key: 'Tab' | 'Shift+Tab' = 'Tab'): Promise<void> {
      for (let presses = 0; presses < 80; presses++) {
        if (await page.evaluate<boolean>(`document.activeElement.matches(${JSON.stringify(selector)})`)) return expectUsable(page)
        await page.keyboard.press(key)
      }
      throw new Error(`no way to ${selector} with ${key}`)
    }

    async function answered(act: () => Promise<void>): Promise<string> {
      const count = await theirs.count()
      await act()
      await theirs.nth(count).waitFor()
      return (await theirs.nth(count).textContent()) ?? ''
    }

    const type = (text: string) =>
      answered(async () => {
        await tabTo('[data-role="input"]')
        await page.keyboard.type(text)
        await page.keyboard.press('Enter')
      })

    for (const text of registrationOf(name)) await type(text)
    expect(await theirs.last().textContent()).toContain('Câu 1/10')
    await keepPicture(page, 'keyboard-1-question')

    // Every other answer by the number, the others by its button: back from the typing box to the newest message
    for (let n = 1; n <= 10; n++) {
      const said = n % 2 === 0 ? await type(n === 6 ? 'biết nói một tiếng' : '2') : await answered(() => press(1))
      expect(said).toContain(n < 10 ? `Câu ${n + 1}/10` : 'Đúng chưa ạ')
    }

    /** Goes back to the newest message with buttons, and presses that one of them. */
    async function press(index: number): Promise<void> {
      await tabTo('[data-role="input"]')
      const buttons = theirs.last().locator('[data-role="button"]')
      const total = await buttons.count()
      await buttons.nth(total - 1).evaluate((button) => button.setAttribute('data-last', ''))
      await tabTo('[data-last]', 'Shift+Tab')
      await buttons.nth(total - 1).evaluate((button) => button.removeAttribute('data-last'))
      for (let back = total - 1; back > index; back--) await page.keyboard.press('Shift+Tab')
      expect(await buttons.nth(index).evaluate((button) => button.matches(':focus'))).toBe(true)
      await expectUsable(page)
      if (index === 1) await keepPicture(page, 'keyboard-2-focus-on-answer')
      await page.keyboard.press('Enter')
    }

    await keepPicture(page, 'keyboard-3-read-back')
    expect(await answered(() => press(0))).toContain('tự đánh giá')
    await keepPicture(page, 'keyboard-4-result')
    expect(await statusOf(name)).toBe('da_tu_danh_gia')
    expect(await answersOf(name)).toHaveLength(10)
    expect((await requests()) - before).toBeLessThanOrEqual(MOST_REQUESTS)
    expect(errors).toEqual([])
  })

  test('by the voice page only: it plays at once, and one press is one answer', async () => {
    const name = 'Giàng Thị Nghe'
    const before = await requests()
    const { person, link } = await registerForVoicePage(name)
    const context = await pages.browser.newContext({ viewport: screens.hand, locale: 'vi-VN', hasTouch: true })
    open.push(context)
    const page = await context.newPage()
    const errors: string[] = []
    page.on('pageerror', (error) => errors.push(error.message))
    page.on('console', (message) => {
      if (message.type() === 'error') errors.push(message.text())
    })
    const heard: string[] = []
    page.on('request', (request) => {
      if (request.resourceType() === 'media') heard.push(new URL(request.url()).pathname)
    })
    await page.goto(link)

    const fits = () => page.evaluate<boolean>('document.documentElement.scrollWidth <= window.innerWidth')
    for (let n = 1; n <= 10; n++) {
      const answers = page.locator('main form .row .answer:visible')
      await page.locator('.heading', { hasText: `Câu ${n}/10` }).waitFor()
      // The question sounds without a touch, the first one where the phone allows it
      const question = await page.locator('.play').getAttribute('data-sound')
      await expect.poll(() => heard.includes(question ?? '-')).toBe(true)
      expect(await fits()).toBe(true)
      // Big enough for a thumb on a small phone: WCAG 2.2 asks 24 px, Android's guide 48 dp
      for (const place of await answers.evaluateAll((all) => all.map((one) => one.getBoundingClientRect().height)))
        expect(place).toBeGreaterThanOrEqual(48)
      if (n <= 2) await keepPicture(page, `voice-${n}-question`)
      await answers.nth(n % 3).tap()
    }
    await page.locator('.lines .line').nth(9).waitFor()
    expect(await fits()).toBe(true)
    await keepPicture(page, 'voice-3-read-back', { fullPage: true })
    await page.locator('.answer', { hasText: 'Đúng rồi' }).tap()
    await page.locator('.tick').waitFor()
    expect(await fits()).toBe(true)
    await keepPicture(page, 'voice-4-done')

    expect(await statusOf(name)).toBe('da_tu_danh_gia')
    expect(await answersOf(name)).toHaveLength(10)
    await person.settle()
    expect((await requests()) - before).toBeLessThanOrEqual(MOST_REQUESTS)
    expect(errors).toEqual([])
  })

  test('the voice page by keyboard: each answer is reached, seen and pressed, and the next question has the focus', async () => {
    const name = 'Vàng Thị Tab'
    const { link } = await registerForVoicePage(name)
    const context = await pages.browser.newContext({ viewport: screens.hand, locale: 'vi-VN' })
    open.push(context)
    const page = await context.newPage()
    await page.goto(link)
    for (let n = 1; n <= 3; n++) {
      await page.locator('.heading', { hasText: `Câu ${n}/10` }).waitFor()
      for (let presses = 0; presses < 20; presses++) {
        await page.keyboard.press('Tab')
        if (await page.evaluate<boolean>(`document.activeElement.matches('[value^="o:"]')`)) break
      }
      await expectUsable(page)
      if (n === 1) await keepPicture(page, 'voice-5-keyboard')
      await page.keyboard.press('Enter')
    }
    await page.locator('.heading', { hasText: 'Câu 4/10' }).waitFor()
    // The numbers beside the answers are keys too
    await page.keyboard.press('2')
    await page.locator('.heading', { hasText: 'Câu 5/10' }).waitFor()
    expect(await answersOf(name)).toHaveLength(4)
  })
})
