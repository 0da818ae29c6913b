// The page: who has a phone, which one is in use, which language the page speaks.

import * as api from './api.js'
import { h, icon } from './dom.js'
import { createPhone } from './phone.js'
import { languages, translate } from './texts.js'

/** @typedef {import('./texts.js').Lang} Lang */
/** @typedef {import('./texts.js').TextKey} TextKey */
/** @typedef {import('./phone.js').Phone} Phone */
/** @typedef {{ label: string, role: string | null, unit: string | null, name: string, title: string, hint: string }} Starting */

// A browser opens six connections to one host. The phone in use has a stream, the others are read at this pace.
const READ_EVERY_MS = 1_000

/** What to begin with where no sample tells. @type {{ label: TextKey, hint: TextKey, role: string | null, unit: string | null, name: string }[]} */
const defaults = [
  { label: 'label.citizen', hint: 'hint.citizen', role: null, unit: null, name: 'Vàng Thị Mỷ' },
  { label: 'label.head', hint: 'hint.head', role: null, unit: null, name: 'Lò Văn Páo' },
  { label: 'label.leader', hint: 'hint.leader', role: 'village_lead', unit: 'binh-lu-01', name: 'Tẩn A Sử' },
  { label: 'label.officer', hint: 'hint.officer', role: 'commune_reviewer', unit: 'binh-lu', name: 'Nguyễn Thị Hạnh' },
]

const root = /** @type {HTMLElement} */ (document.getElementById('page'))

/** @type {Lang} */
let lang = languages.find((one) => one === localStorage.getItem('lang')) ?? 'vi'
/** @type {Phone[]} */
let phones = []
/** @type {Phone | undefined} */
let inUse
/** @type {import('./api.js').Account[]} */
let accounts = []
let oaId = localStorage.getItem('oa') ?? ''

/**
 * @param {TextKey} key
 * @param {Record<string, string | number>} [values]
 */
const t = (key, values) => translate(lang, key, values)

/** @returns {Promise<Starting[]>} */
async function loadStarting() {
  const builtIn = defaults.map((one) => ({ ...one, label: translate('vi', one.label), title: t(one.label), hint: t(one.hint) }))
  const hinted = (await api.findHints())?.phones
  if (!hinted?.length) return builtIn
  return hinted.map((one) => {
    const same = builtIn.find((other) => other.label === one.label)
    return { ...one, title: same?.title ?? one.label, hint: lang === 'vi' ? one.hint : (same?.hint ?? one.hint) }
  })
}

/**
 * The people with a label are those of this page; others belong to tests and load drivers.
 * @param {Starting[]} starting
 */
async function loadPeople(starting) {
  const people = await api.getPeople()
  const byLabel = new Map(
    people
      .filter((one) => one.label)
      .reverse()
      .map((one) => [/** @type {string} */ (one.label), one]),
  )
  /** @type {(Starting & { person: import('./api.js').Person })[]} */
  const found = []
  for (const one of starting) {
    const person = byLabel.get(one.label) ?? (await api.createPerson(one.name, one.label))
    byLabel.delete(one.label)
    found.push({ ...one, person })
  }
  for (const person of people) {
    const label = person.label
    if (!label || byLabel.get(label) !== person) continue
    found.push({ label, title: label, role: null, unit: null, name: person.name, hint: t('add.hint'), person })
  }
  return found
}

// ---- the page around the phones

const tabs = h('div', { class: 'tabs' })
const stage = h('main', { class: 'stage', tabindex: '-1' })

function drawTop() {
  const language = h(
    'div',
    { class: 'languages', role: 'group', 'aria-label': t('page.language') },
    ...languages.map((one) =>
      h('button', {
        type: 'button',
        lang: one,
        'aria-pressed': String(one === lang),
        data: { role: 'language', lang: one },
        text: one.toUpperCase(),
        on: { click: () => changeLanguage(one) },
      }),
    ),
  )
  const account =
    accounts.length > 1
      ? h(
          'select',
          {
            class: 'account',
            'aria-label': t('page.account'),
            on: { change: (/** @type {any} */ event) => changeAccount(event.target.value) },
          },
          ...accounts.map((one) => h('option', { value: one.oa_id, text: one.name, selected: one.oa_id === oaId })),
        )
      : undefined
  const add = h(
    'button',
    { type: 'button', class: 'tab add', 'aria-label': t('add.open'), data: { role: 'add' }, on: { click: askForPerson } },
    icon('plus', 20),
    h('span', { text: t('add.open') }),
  )
  root.replaceChildren(
    h(
      'header',
      { class: 'top' },
      h('div', { class: 'brand' }, h('h1', { text: t('page.name') }), h('span', { text: t('page.note') })),
      h('nav', { class: 'tab-bar', 'aria-label': t('page.phones') }, tabs, add),
      account,
      language,
    ),
    stage,
  )
}

/** @param {Phone} phone */
function createTab(phone) {
  return h(
    'button',
    { type: 'button', class: 'tab', data: { role: 'tab', for: phone.label }, on: { click: () => pick(phone) } },
    h('span', { text: phone.title }),
    h('span', { class: 'dot' }),
    h('span', { class: 'hear' }),
  )
}

function showUnread() {
  phones.forEach((phone, index) => {
    const tab = tabs.children[index]
    if (!(tab instanceof HTMLElement)) return
    const unread = phone.countUnread()
    const heard = unread > 0 ? t('stage.unread', { count: unread }) : ''
    tab.dataset.unread = String(unread)
    const words = tab.lastElementChild
    if (words && words.textContent !== heard) words.textContent = heard
  })
}

/** @param {Phone} phone */
function use(phone) {
  if (inUse === phone) return
  inUse?.setActive(false)
  inUse = phone
  localStorage.setItem('phone', phone.label)
  phones.forEach((one, index) => {
    const tab = tabs.children[index]
    if (one === phone) tab?.setAttribute('aria-current', 'true')
    else tab?.removeAttribute('aria-current')
  })
  phone.setActive(true)
  phone.returnToView()
}

/** @param {Phone} phone */
function pick(phone) {
  use(phone)
  phone.element.scrollIntoView({ block: 'nearest', inline: 'center' })
  tabs.children[phones.indexOf(phone)]?.scrollIntoView({ block: 'nearest', inline: 'nearest' })
  phone.focusInput()
}

/** @param {Lang} next */
async function changeLanguage(next) {
  lang = next
  localStorage.setItem('lang', next)
  await start()
  const button = root.querySelector(`[data-role="language"][data-lang="${next}"]`)
  if (button instanceof HTMLElement) button.focus()
}

/** @param {string} next */
async function changeAccount(next) {
  oaId = next
  localStorage.setItem('oa', next)
  await start()
}

function askForPerson() {
  const name = h('input', {
    type: 'text',
    required: true,
    maxlength: '60',
    placeholder: t('add.example'),
    autocomplete: 'off',
    data: { role: 'new-name' },
  })
  const dialog = h(
    'dialog',
    { class: 'dialog', 'aria-label': t('add.title'), on: { close: () => dialog.remove() } },
    h(
      'form',
      {
        on: {
          submit: async (/** @type {Event} */ event) => {
            event.preventDefault()
            const given = name.value.trim()
            if (given === '') return
            dialog.close()
            await addPerson(given).catch(showFailure)
          },
        },
      },
      h('h2', { class: 'dialog-title', text: t('add.title') }),
      h('label', {}, h('span', { text: t('add.name') }), name),
      h(
        'div',
        { class: 'form-buttons' },
        h('button', { type: 'button', class: 'plain', text: t('add.cancel'), on: { click: () => dialog.close() } }),
        h('button', { type: 'submit', class: 'primary', data: { role: 'new-create' }, text: t('add.create') }),
      ),
    ),
  )
  root.append(dialog)
  dialog.showModal()
}

/** @param {string} name */
async function addPerson(name) {
  let label = name
  for (let number = 2; phones.some((phone) => phone.label === label); number += 1) label = `${name} (${number})`
  const person = await api.createPerson(name, label)
  const phone = addPhone({ label, title: label, role: null, unit: null, name, hint: t('add.hint'), person })
  await phone.refresh()
  pick(phone)
}

/** @param {Starting & { person: import('./api.js').Person }} one */
function addPhone(one) {
  const account = accounts.find((other) => other.oa_id === oaId)
  if (!account) throw new Error('A phone without an account')
  const phone = createPhone({ ...one, account, lang, t, activate: () => use(phone), changed: showUnread })
  phones.push(phone)
  tabs.append(createTab(phone))
  stage.append(phone.element)
  return phone
}

function showFailure() {
  for (const phone of phones) phone.destroy()
  phones = []
  tabs.replaceChildren()
  stage.replaceChildren(
    h(
      'div',
      { class: 'failure', role: 'alert' },
      h('p', { text: accounts.length === 0 ? t('page.noAccount') : t('page.failed') }),
      h('button', { type: 'button', class: 'primary', text: t('page.retry'), on: { click: () => start() } }),
    ),
  )
}

async function start() {
  root.dataset.ready = 'false'
  document.documentElement.lang = lang
  document.title = t('page.title')
  for (const phone of phones) phone.destroy()
  phones = []
  inUse = undefined
  tabs.replaceChildren()
  stage.replaceChildren()
  try {
    accounts = await api.getAccounts()
    if (!accounts.some((one) => one.oa_id === oaId)) oaId = accounts[0]?.oa_id ?? ''
    drawTop()
    if (accounts.length === 0) return showFailure()
    const people = await loadPeople(await loadStarting())
    for (const one of people) addPhone(one)
    const last = phones.find((phone) => phone.label === localStorage.getItem('phone')) ?? phones[0]
    if (last) use(last)
    await Promise.all(phones.map((phone) => phone.refresh()))
    last?.focusInput()
    root.dataset.ready = 'true'
  } catch (error) {
    console.error(error)
    drawTop()
    showFailure()
  }
}

/** Reads the phones not in use. A server that is down is asked again, quietly. */
async function readOthers() {
  if (document.visibilityState === 'visible') {
    await Promise.allSettled(phones.filter((phone) => phone !== inUse).map((phone) => phone.refresh()))
  }
  setTimeout(readOthers, READ_EVERY_MS)
}

document.addEventListener('visibilitychange', () => {
  for (const phone of phones) phone.setVisible(document.visibilityState === 'visible')
})

await start()
readOthers()
