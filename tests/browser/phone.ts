import { type Browser, chromium, type Locator, type Page } from 'playwright-core'

// Drives the phone page the way a person does. Nothing here waits for a fixed time: every wait is for something on the screen.

// Debian's Chromium, without the calls home it makes by itself
export const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium'
const CHROMIUM_ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]
const ANSWER_MS = 15_000

/** The two screens the page is made for. */
export const screens = {
  desk: { width: 1440, height: 900 },
  hand: { width: 360, height: 740 },
} as const

/** A message on the screen, as a person would read it. */
interface ShownMessage {
  from: 'person' | 'oa' | 'staff'
  kind: string
  text: string
  buttons: string[]
  /** `waiting`, `sending`, `failed`, `sent`, `received` or `seen`, own messages only */
  state?: string
}

export interface PhonePage {
  page: Page
  /** Errors of the page's own code and refusals of its content policy. A proof ends with none. */
  errors: string[]
  /** Hosts asked beside the page's own. */
  foreignHosts: Set<string>
  /** The phone with this label, brought to the front. */
  pick(label: string): Promise<Phone>
  /** Gives one more person a phone. */
  addPerson(name: string): Promise<Phone>
  /** What a person does who has lost the page: nothing may be lost with it. */
  reload(): Promise<void>
  screenshot(path: string): Promise<void>
  close(): Promise<void>
}

export interface Phone {
  element: Locator
  /** Types a message and sends it with Enter. */
  send(text: string): Promise<void>
  /** Both are on their way before either is answered. */
  sendTwo(first: string, second: string): Promise<void>
  /** Sends what stands behind the dots: `image`, `location`, `sticker`, `voice`, `card` or `file`. */
  attach(kind: string): Promise<void>
  /** Taps the newest button with this text, under whatever message it stands. */
  tap(text: string): Promise<void>
  /** Does something and waits for the next message from the other side; gives that message. */
  answerTo(action: () => Promise<void>): Promise<ShownMessage>
  /** Types a message and gives the answer. */
  ask(text: string): Promise<ShownMessage>
  messages(): Promise<ShownMessage[]>
  setOnline(online: boolean): Promise<void>
  setFollowing(following: boolean): Promise<void>
  /** Puts an invitation code into the typing box, sends it and gives the answer. */
  takeInvitation(): Promise<ShownMessage>
  screenshot(path: string): Promise<void>
}

/** A running Chromium, shared by the pages of a proof. */
export async function openBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: CHROMIUM_ARGS })
}

/** The page at this address on a screen of this size, as someone sees it who was never here before. `prepare` runs before it is opened. */
export async function openPhonePage(
  browser: Browser,
  address: string,
  size: { width: number; height: number } = screens.desk,
  prepare: (page: Page) => Promise<void> = async () => {},
): Promise<PhonePage> {
  const context = await browser.newContext({ viewport: size, locale: 'vi-VN', timezoneId: 'Asia/Ho_Chi_Minh' })
  const page = await context.newPage()
  const errors: string[] = []
  const foreignHosts = new Set<string>()
  page.on('pageerror', (error) => errors.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) errors.push(message.text())
  })
  page.on('request', (request) => {
    const { host } = new URL(request.url())
    if (host !== new URL(address).host) foreignHosts.add(host)
  })
  await prepare(page)
  await page.goto(address)
  const ready = page.locator('[data-ready="true"]')
  await ready.waitFor()

  async function pick(label: string): Promise<Phone> {
    await page.locator(`[data-role="tab"][data-for=${JSON.stringify(label)}]`).click()
    return createPhone(page, page.locator(`[data-phone=${JSON.stringify(label)}]`))
  }

  return {
    page,
    errors,
    foreignHosts,
    pick,
    async addPerson(name) {
      await page.locator('[data-role="add"]').click()
      await page.locator('[data-role="new-name"]').fill(name)
      await page.locator('[data-role="new-create"]').click()
      await page.locator(`[data-phone=${JSON.stringify(name)}]`).waitFor()
      return pick(name)
    },
    async reload() {
      await page.reload()
      await ready.waitFor()
    },
    async screenshot(path) {
      await page.screenshot({ path })
    },
    close: () => context.close(),
  }
}

function createPhone(page: Page, element: Locator): Phone {
  const role = (name: string) => element.locator(`[data-role="${name}"]`)
  const input = role('input')
  const theirs = element.locator('[data-role="message"]:not([data-from="person"])')

  async function read(message: Locator): Promise<ShownMessage> {
    const value = async (name: string) => (await message.getAttribute(`data-${name}`)) ?? undefined
    const state = await value('state')
    return {
      from: (await value('from')) as ShownMessage['from'],
      kind: (await value('kind')) ?? '',
      text: (await message.locator('.text, .list-words, .file-name, .place-name').allInnerTexts()).join('\n'),
      buttons: await message.locator('[data-role="button"] > span').allInnerTexts(),
      ...(state !== undefined && { state }),
    }
  }

  /** On a narrow screen the stage directions are folded away. */
  async function openNote() {
    const hints = role('hints')
    if ((await hints.isVisible()) && (await hints.getAttribute('aria-expanded')) !== 'true') await hints.click()
  }

  async function send(text: string) {
    await input.fill(text)
    await input.press('Enter')
  }

  async function answerTo(action: () => Promise<void>) {
    const before = await theirs.evaluateAll((rows) => rows.map((row) => row.getAttribute('data-msg-id')))
    await action()
    const fresh = before.map((id) => `:not([data-msg-id="${id}"])`).join('')
    const next = element.locator(`[data-role="message"]:not([data-from="person"])${fresh}`).first()
    await next.waitFor({ state: 'attached', timeout: ANSWER_MS })
    return read(next)
  }

  return {
    element,
    send,
    answerTo,
    ask: (text) => answerTo(() => send(text)),
    async sendTwo(first, second) {
      await openNote()
      await role('two').click()
      await role('two-first').fill(first)
      await role('two-second').fill(second)
      await role('two-send').click()
    },
    async attach(kind) {
      await role('attach').click()
      await element.locator(`[data-role="attach-kind"][data-kind="${kind}"]`).click()
    },
    async tap(text) {
      await role('button')
        .filter({ has: page.getByText(text, { exact: true }) })
        .last()
        .click()
    },
    async messages() {
      const all = await element.locator('[data-role="message"]').all()
      return Promise.all(all.map(read))
    },
    async setOnline(online) {
      if ((await element.getAttribute('data-online')) === String(online)) return
      await openNote()
      await role('signal').click()
      await page.locator(`[data-phone][data-online="${online}"]`).and(element).waitFor()
    },
    async setFollowing(following) {
      if ((await element.getAttribute('data-following')) === String(following)) return
      await role('menu').click()
      await role('follow').click()
      await page.locator(`[data-phone][data-following="${following}"]`).and(element).waitFor()
    },
    async takeInvitation() {
      await openNote()
      await role('invite').click()
      await role('notice').filter({ hasText: /\S/ }).waitFor()
      return answerTo(() => input.press('Enter'))
    },
    async screenshot(path) {
      await element.screenshot({ path })
    },
  }
}
